import { afterAll, beforeAll, describe } from "vitest";
import { openAnyWorld, openLocalWorld, openMemoryWorld, openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { describeAbilities, type Abilities } from "./lock-transport-abilities.contract.ts";
import { describeHolds } from "./lock-transport-holds.contract.ts";
import { describeLeases } from "./lock-transport-lease.contract.ts";
import { describeLockTransport } from "./lock-transport.contract.ts";
import type { LockWorld } from "./lock-transport.contract.ts";

/** What the suite lets pass when it is not done, and why it cannot be done over sftp. */
const beyondSftp: Abilities = {
  break: "nothing like flock keeps others away while a lock is looked at and moved",
  breakForeign: "the same",
  fingerprint: "it is only good for breaking",
  holds: "kernel locks are out of reach",
  fence: "the same",
};

function describeTransport(name: string, open: () => Promise<LockWorld>, cannot: Abilities = {}): void {
  describeLockTransport(name, open);
  describeLeases(name, open);
  describeHolds(name, open);
  describeAbilities(name, open, cannot);
}

describeTransport("memory", openMemoryWorld);

describeTransport("local", openLocalWorld);

describe("over a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  describeTransport("ssh", () => openSshWorld(endpointOf(sshd)));

  describeTransport("ssh client", () => openSshWorld(endpointOf(sshd, { transport: "openssh" })));

  describeTransport("sftp", () => openSftpWorld(endpointOf(sshd)), beyondSftp);
});

describe("over sshd's that allow sftp only", () => {
  let plain: TestSshd;
  let withoutLinks: TestSshd;
  beforeAll(async () => {
    plain = await startSshd({ config: ["ForceCommand internal-sftp"] });
    withoutLinks = await startSshd({ config: ["ForceCommand internal-sftp -P hardlink"] });
  });
  afterAll(async () => void (await Promise.all([plain, withoutLinks].map((sshd) => sshd.stop()))));

  describeTransport("sftp by itself", () => openAnyWorld(endpointOf(plain)), beyondSftp);

  describeTransport("sftp without hard links", () => openAnyWorld(endpointOf(withoutLinks)), beyondSftp);
});
