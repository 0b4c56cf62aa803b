import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LockFile } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const { signal } = new AbortController();

async function claim(lock: LockFile) {
  const director = await createRealLocks("director");
  onTestFinished(() => director.close());
  return director.locks.claim({ job: buildJob({ lockFiles: [lock] }), runId: "run", signal });
}

describe("a job whose lock lies on a host", () => {
  it("that allows sftp only, runs with its lock and gives it back", async () => {
    const sshd = await startSshd({ config: ["ForceCommand internal-sftp"] });
    onTestFinished(() => sshd.stop());
    const directory = await makeTempDir();
    const path = join(directory, "a.lock");
    const result = await claim({ type: "remote", path, endpoint: endpointOf(sshd) });
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    expect(await readFile(path, "utf8")).toContain('"job":"job"');
    await result.held.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it("with neither a shell nor sftp, fails and says both", async () => {
    const sshd = await startSshd({ config: ["ForceCommand echo only rsync; exit 1"] });
    onTestFinished(() => sshd.stop());
    const path = join(await makeTempDir(), "a.lock");
    const result = await claim({ type: "remote", path, endpoint: endpointOf(sshd) });
    expect(result).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/no sftp on .* no shell: .*only rsync/),
    });
  });

  it("in a directory where everybody may write, fails unless that is allowed", async () => {
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    const directory = await makeTempDir();
    await chmod(directory, 0o1777);
    const path = join(directory, "a.lock");
    for (const place of [{ type: "local" } as const, { type: "remote", endpoint: endpointOf(sshd) } as const]) {
      expect(await claim({ ...place, path })).toMatchObject({
        kind: "failed",
        message: expect.stringContaining(
          "everybody may write there (mode 1777) (allow_unsafe_directory would allow it)",
        ),
      });
      expect(await readdir(directory)).toEqual([]);
      const allowed = await claim({ ...place, path, allows: { unsafeDirectory: true, networkFileSystem: false } });
      if (allowed.kind !== "held") throw new Error(JSON.stringify(allowed));
      await allowed.held.release();
      for (const file of await readdir(directory)) expect(file).toBe("a.lock.guard");
      await rm(`${path}.guard`);
    }
  });
});
