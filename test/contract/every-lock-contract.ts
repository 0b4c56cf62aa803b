import { type Abilities, describeAbilities } from "./lock-transport-abilities.contract.ts";
import { describeHolds } from "./lock-transport-holds.contract.ts";
import { describeLeases } from "./lock-transport-lease.contract.ts";
import { describeLockTransport, type LockWorld } from "./lock-transport.contract.ts";

/** What the suite lets pass when it is not done, and why it cannot be done over sftp. */
export const beyondSftp: Abilities = {
  break: "nothing like flock keeps others away while a lock is looked at and moved",
  breakForeign: "the same",
  fingerprint: "it is only good for breaking",
  holds: "kernel locks are out of reach",
  fence: "the same",
};

/** All that is promised of a way to locks. */
export function describeTransport(name: string, open: () => Promise<LockWorld>, cannot: Abilities = {}): void {
  describeLockTransport(name, open);
  describeLeases(name, open);
  describeHolds(name, open);
  describeAbilities(name, open, cannot);
}
