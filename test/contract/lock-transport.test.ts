import { afterAll, beforeAll, describe } from "vitest";
import { openLocalWorld, openMemoryWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { describeLockTransport } from "./lock-transport.contract.ts";

describeLockTransport("memory", openMemoryWorld);

describeLockTransport("local", openLocalWorld);

describe("over a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  describeLockTransport("ssh", () => openSshWorld(endpointOf(sshd)));
});
