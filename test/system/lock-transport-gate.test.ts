import { afterAll, beforeAll, describe } from "vitest";
import { openGateWorld } from "../support/lock-worlds.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { describeAbilities } from "../contract/lock-transport-abilities.contract.ts";
import { describeHolds } from "../contract/lock-transport-holds.contract.ts";
import { describeLeases } from "../contract/lock-transport-lease.contract.ts";
import { describeLockTransport } from "../contract/lock-transport.contract.ts";

describe("with a key that a gate restricts to locks", () => {
  let sshd: TestSshd;
  beforeAll(async () => void (sshd = await startSshd()));
  afterAll(() => sshd.stop());
  const open = () => openGateWorld(sshd);

  // It reads calls line by line.
  describeLockTransport("ssh", open, ["new\nline"]);
  describeLeases("ssh", open);
  describeHolds("ssh", open);
  describeAbilities("ssh", open, {});
});
