import { lchown, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createLocalTransport } from "../../src/lock/transport/local-transport.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { createProbedTransport } from "../../src/lock/transport/probe.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { claimOf } from "../contract/lock-transport.contract.ts";
import { reach } from "../support/reach-transport.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;
const own = process.getuid?.() ?? -1;
const stranger = 54_321;

describe("a directory for locks that is a symbolic link", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd({ config: ["ForceCommand internal-sftp"] });
  });
  afterAll(() => sshd.stop());

  const ways: [string, () => LockTransport][] = [
    ["the shell", () => createLocalTransport({ runTool, operationTimeoutMs: 20_000 })],
    ["sftp", () => reach(sshd).transport],
  ];
  const makeLink = async () => {
    const parent = await makeTempDir();
    await mkdir(join(parent, "real"), { mode: 0o750 });
    await symlink("real", join(parent, "link"));
    return { parent, link: join(parent, "link") };
  };
  const claim = async (transport: LockTransport, directory: string) => {
    const probed = createProbedTransport({ transport, clock: systemClock, allows: () => undefined });
    const claims = [claimOf(join(directory, "a.lock"), "my-own-token-0123456789")];
    return (await probed.acquire({ claims, thenCheck: [] }, never)).claims[0];
  };

  it.each(ways)("is judged by where it leads to, over %s", async (_, open) => {
    const { parent, link } = await makeLink();
    const transport = open();
    const [found, plain] = await transport.probe([link, join(parent, "real")], never);
    expect(found).toMatchObject({ kind: "probed", permissions: 0o750, uid: own, linkUid: own });
    expect(plain).toMatchObject({ kind: "probed", permissions: 0o750, uid: own });
    expect(plain).not.toHaveProperty("linkUid");
    expect(await claim(transport, link)).toEqual({ kind: "acquired" });
    expect(await readdir(join(parent, "real"))).toContain("a.lock");
  });

  it.for(ways)("has no locks where somebody else owns the link, over %s", async ([, open], context) => {
    if (own !== 0) context.skip("only root can give a link away");
    const { parent, link } = await makeLink();
    await lchown(link, stranger, stranger);
    const transport = open();
    expect(await transport.probe([link], never)).toMatchObject([{ uid: own, linkUid: stranger }]);
    expect(await claim(transport, link)).toMatchObject({
      kind: "error",
      detail: expect.stringContaining(`it is a symbolic link of user ${stranger}`),
    });
    expect(await readdir(join(parent, "real"))).toEqual([]);
  });
});
