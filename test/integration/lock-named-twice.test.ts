import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LockFile } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const { signal } = new AbortController();

async function claim(lockFiles: readonly LockFile[], name = "director") {
  const director = await createRealLocks(name);
  onTestFinished(() => director.close());
  const result = await director.locks.claim({ job: buildJob({ lockFiles }), runId: "run", signal });
  return { ...director, result };
}

/** An sshd of this host that is known by two names. */
async function startKnownTwice(config: readonly string[] = []): Promise<TestSshd> {
  const sshd = await startSshd({ config });
  onTestFinished(() => sshd.stop());
  const known = await readFile(sshd.knownHostsFile, "utf8");
  await writeFile(sshd.knownHostsFile, known + known.replace("[127.0.0.1]", "[localhost]"));
  return sshd;
}

const remote = (sshd: TestSshd, host: string, path: string): LockFile => ({
  type: "remote",
  path,
  endpoint: endpointOf(sshd, { host }),
});

/** Guards stay for ever. */
const locksIn = async (directory: string) => (await readdir(directory)).filter((name) => !name.endsWith(".guard"));

describe("a lock file that a job names twice", () => {
  it("by a directory and a link to it, makes the job fail and name both; nothing is left behind", async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "real/locks"), { recursive: true });
    await symlink("real", join(directory, "link"));
    const [link, real] = [join(directory, "link/locks/a.lock"), join(directory, "real/locks/a.lock")];
    const { result, events } = await claim([
      { type: "local", path: real },
      { type: "local", path: link },
    ]);
    expect(result).toEqual({
      kind: "failed",
      message: `cannot lock ${real}: it is the same file as ${link}: name it only once in lock_files`,
    });
    expect(events.of("lock:lost")).toEqual([]);
    expect(await locksIn(join(directory, "real/locks"))).toEqual([]);
  });

  it.each([
    ["a shell", []],
    ["sftp only", ["ForceCommand internal-sftp"]],
  ])("by two names of a host that allows %s, makes the job fail likewise", async (_, config) => {
    const sshd = await startKnownTwice(config);
    const directory = await makeTempDir();
    const path = join(directory, "a.lock");
    const other = { type: "local", path: join(await makeTempDir(), "a.lock") } as const;
    const { result } = await claim([remote(sshd, "localhost", path), other, remote(sshd, "127.0.0.1", path)]);
    expect(result).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(
        new RegExp(
          `^cannot lock localhost:${path}: it is the same file as .*127\\.0\\.0\\.1:${path}.*: name it only once`,
        ),
      ),
    });
    expect(await locksIn(directory)).toEqual([]);
  });

  it("here and on a host that is this one, makes the job fail likewise", async () => {
    const sshd = await startKnownTwice();
    const directory = await makeTempDir();
    const path = join(directory, "a.lock");
    const { result } = await claim([{ type: "local", path }, remote(sshd, "127.0.0.1", path)]);
    expect(result).toMatchObject({
      kind: "failed",
      message: `cannot lock ${path}: it is the same file as 127.0.0.1:${path}: name it only once in lock_files`,
    });
    expect(await locksIn(directory)).toEqual([]);
  });

  it("in blocks_on by another name, does not keep the job from running", async () => {
    const sshd = await startKnownTwice();
    const directory = await makeTempDir();
    const path = join(directory, "a.lock");
    // The only look is the last one: it may take the time of two logins.
    const director = await createRealLocks("director", { lastLookMs: 60_000 });
    onTestFinished(() => director.close());
    const block = { waitTimeMs: 1000, timeoutMs: 0, onTimeout: "fail" } as const;
    const blocksOn = [
      { lock: remote(sshd, "localhost", path), ...block },
      { lock: { type: "local", path } as const, ...block },
    ];
    const job = buildJob({ lockFiles: [remote(sshd, "127.0.0.1", path)], blocksOn });
    const result = await director.locks.claim({ job, runId: "run", signal });
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    expect(await result.held.release()).toEqual([]);
    expect(await locksIn(directory)).toEqual([]);
  });

  it("by two ways to what is one name, is one lock", async () => {
    const sshd = await startKnownTwice();
    const directory = await makeTempDir();
    const path = join(directory, "a.lock");
    const same = remote(sshd, "127.0.0.1", path);
    const { result, events } = await claim([
      same,
      { type: "remote", path, endpoint: endpointOf(sshd, { connectTimeoutMs: 4000 }) },
      same,
    ]);
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    expect(result.held.places).toEqual([{ host: "127.0.0.1", path }]);
    expect(await result.held.release()).toEqual([]);
    expect(events.names().filter((name) => name !== "lock:held")).toEqual(["lock:acquired", "lock:released"]);
    expect(await locksIn(directory)).toEqual([]);
  });

  it("is not seen in a path with .. behind a link, for what is there may be another file", async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "far/below"), { recursive: true });
    await symlink("far/below", join(directory, "link"));
    const paths = [`${directory}/link/../a.lock`, `${directory}/a.lock`, `${directory}//a.lock`];
    const { result } = await claim(paths.map((path) => ({ type: "local", path })));
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    const isALock = (name: string) => /^a\.lock$/.test(name);
    expect((await readdir(join(directory, "far"))).filter(isALock)).toEqual(["a.lock"]);
    expect((await readdir(directory)).filter(isALock)).toEqual(["a.lock"]);
    expect(await result.held.release()).toEqual([]);
  });
});
