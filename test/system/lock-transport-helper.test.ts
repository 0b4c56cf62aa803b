import { afterAll, beforeAll, describe } from "vitest";
import { openHelperWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { describeTransport } from "../contract/every-lock-contract.ts";

describe("over a real sshd, where the helper is there from the first change on", () => {
  let sshd: TestSshd;
  beforeAll(async () => void (sshd = await startSshd()));
  afterAll(() => sshd.stop());

  describeTransport("ssh with a helper", () => openHelperWorld(endpointOf(sshd)));
});
