import { afterAll, beforeAll, describe } from "vitest";
import { beyondSftp, describeTransport } from "../contract/every-lock-contract.ts";
import { openAnyWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

describe("what ssh2 cannot do", () => {
  let sshd: TestSshd;
  beforeAll(async () => void (sshd = await startSshd()));
  afterAll(() => sshd.stop());

  describeTransport("ssh client", () => openSshWorld(endpointOf(sshd, { transport: "openssh" })));
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
