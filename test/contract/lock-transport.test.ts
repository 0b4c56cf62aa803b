import { afterAll, beforeAll, describe } from "vitest";
import {
  openHelperWorld,
  openLocalWorld,
  openMemoryWorld,
  openSftpWorld,
  openSshWorld,
} from "../support/lock-worlds.ts";
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

  // The first change by programs, the others by the helper; then all by the helper. Those of "local" are all by programs.
  describeTransport("ssh", () => openSshWorld(endpointOf(sshd)));

  describeTransport("ssh with a helper", () => openHelperWorld(endpointOf(sshd)));

  describeTransport("sftp", () => openSftpWorld(endpointOf(sshd)), beyondSftp);
});
