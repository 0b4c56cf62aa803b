import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { buildSync, realActions, startAction } from "../support/run-action.ts";
import { loginsAt, openSharedConnections, shared, startProxyTo } from "../support/shared-connections.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

describe("a complete sync of a large tree far away", () => {
  it("reads the whole tree first, once its size is known and if nobody says otherwise", async () => {
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    const directory = await makeTempDir();
    const [source, dest] = [join(directory, "source"), join(directory, "dest")];
    await mkdir(source);
    const { through } = await startProxyTo(sshd, { toServerMs: 20, toClientMs: 20 });
    for (let file = 0; file < 1000; file += 1) await writeFile(join(source, `file-${file}`), "");
    const { pool } = await openSharedConnections();
    const registry = realActions({ remoteShell: pool.lend });
    const endpoint = shared(endpointOf(sshd, { ...through, connectTimeoutMs: 20_000 }));
    const argvOf = async (recursion?: "incremental") => {
      const rsync = { archive: true, ...(recursion === undefined ? {} : { recursion }) };
      const action = buildSync({ sources: [`${source}/`], dest, rsync });
      const { outcome, argv } = startAction(action, { job: { type: "remote", direction: "push", endpoint }, registry });
      await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { stats: { filesTotal: 1001 } } });
      return argv;
    };
    expect(await argvOf()).not.toContain("--no-inc-recursive");
    expect(await argvOf()).toContain("--no-inc-recursive");
    expect(await argvOf("incremental")).not.toContain("--no-inc-recursive");
    expect(await loginsAt(sshd)).toBe(1);
  });
});
