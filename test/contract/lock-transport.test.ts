import { afterAll, beforeAll, describe } from "vitest";
import { openLocalWorld, openMemoryWorld, openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { beyondSftp, describeTransport } from "./every-lock-contract.ts";

describeTransport("memory", openMemoryWorld);

describeTransport("local", openLocalWorld);

describe("over a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  // The first change is made by programs, the others by the helper. Those of "local" are all by programs, and all by the helper
  // those of test/system/lock-transport-helper.test.ts.
  describeTransport("ssh", () => openSshWorld(endpointOf(sshd)));

  describeTransport("sftp", () => openSftpWorld(endpointOf(sshd)), beyondSftp);
});
