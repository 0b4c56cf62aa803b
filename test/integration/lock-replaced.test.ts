import { execa } from "execa";
import { lstat, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { LockLease } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const quick = { leaseTickMs: 20, beatRetryMs: 50, verifyMs: 500, releaseDeadlineMs: 500, releaseRetryMs: 50 };
const lease: LockLease = { ...defaultLease, heartbeatMs: 100 };
/** Ends soon, where only its end tells that the lock is lost. */
const short: LockLease = { ...lease, ttlMs: 4000, renewDeadlineMs: 1000, minTtlMs: 0 };

const contents = {
  "an empty file": "",
  "a bare process id": "4242\n",
  garbage: "\u0000\u0001 $(touch pwned) '\n\"}{",
  "a lock of a later version": '1\n{"v":2,"token":"token-of-tomorrow-01234"}\n',
  "another's lock": lockContent({ token: "their-token-0123456789-" }),
} as const;

const others: Record<string, (path: string, beside: string) => Promise<unknown>> = {
  "a symbolic link to a file": async (path, beside) => {
    await writeFile(beside, "do not touch me\n");
    await symlink(beside, path);
  },
  "a dangling symbolic link": (path, beside) => symlink(`${beside}.missing`, path),
  "a directory": (path) => mkdir(path),
  "a FIFO": (path) => execa("mkfifo", [path]),
};

/** A job holds a lock, and then something else lies in its place. */
async function replaceUnder(put: (path: string, beside: string) => Promise<unknown>, lasting = lease) {
  const directory = await makeTempDir();
  const [path, beside] = [join(directory, "a.lock"), join(directory, "beside")];
  const made = await createRealLocks("owner", quick);
  onTestFinished(() => made.close());
  const { locks, events } = made;
  const job = buildJob({ lease: lasting, lockFiles: [{ type: "local", path }] });
  const claim = await locks.claim({ job, runId: "run", signal: new AbortController().signal });
  if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
  const lost = events.next("lock:lost");
  await rm(path);
  await put(path, beside);
  const event = await lost;
  const troubles = await claim.held.release();
  return { path, beside, event, troubles, held: claim.held, events };
}

describe("a held lock in whose place there lies", () => {
  it.each(Object.entries(contents))("%s is lost at once, and what is there stays", async (_, content) => {
    const { path, event, held } = await replaceUnder((file) => writeFile(file, content));
    expect(event).toMatchObject({ cause: "taken" });
    expect(held.lost.aborted).toBe(true);
    expect(await readFile(path, "utf8")).toBe(content);
  });

  it.each(Object.entries(others))(
    "%s is lost before its lease ends, and that is not followed or removed",
    async (_, put) => {
      const { path, beside, held, troubles } = await replaceUnder(put, short);
      expect(held.lost.aborted).toBe(true);
      expect(troubles).toHaveLength(1);
      expect((await lstat(path)).isFile()).toBe(false);
      const target = await readFile(beside, "utf8").catch(() => "do not touch me\n");
      expect(target).toBe("do not touch me\n");
      expect(await lstat(`${beside}.missing`).catch(() => undefined)).toBeUndefined();
    },
  );
});
