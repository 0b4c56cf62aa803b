import { execa } from "execa";
import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { abortReasonOf } from "../../src/base/abort.ts";
import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { Job, LockFile, LockLease } from "../../src/config/resolved.ts";
import { describeOwner } from "../../src/lock/lock-owner.ts";
import { buildJob } from "../support/build-job.ts";
import { blockOn, lockContent } from "../support/lock-fixture.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** A life in seconds instead of minutes. */
const quick = {
  leaseTickMs: 20,
  beatRetryMs: 50,
  verifyMs: 500,
  backoffBaseMs: 20,
  backoffMaxMs: 200,
  staleWindowMs: 1000,
  stalePollMs: 100,
  staleGapMs: 1000,
  shortestTtlMs: 1000,
  breakDelayMs: 0,
};
const short: LockLease = { ...defaultLease, heartbeatMs: 200, ttlMs: 4000, renewDeadlineMs: 2500, minTtlMs: 0 };
/** For what does not depend on its end: a login may take a while. */
const patient: LockLease = { ...defaultLease, heartbeatMs: 200 };

async function director(name: string) {
  const made = await createRealLocks(name, quick);
  onTestFinished(() => made.close());
  return made;
}

async function hold(name: string, job: Partial<Job>) {
  const made = await director(name);
  const request = { job: buildJob({ id: name, lease: patient, ...job }), runId: "run" };
  const claim = await made.locks.claim({ ...request, signal: new AbortController().signal });
  if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
  return { ...made, held: claim.held };
}

describe("leases over a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  const remote = (path: string): LockFile => ({ type: "remote", path, endpoint: endpointOf(sshd) });
  const sessions = async () => {
    const { stdout } = await execa("pgrep", ["-P", String(sshd.pid)], { reject: false });
    return stdout.split("\n").filter(Boolean).map(Number);
  };
  const newLock = async () => join(await makeTempDir(), "a.lock");

  it("touches the file, lives through a cut connection, and gives the lock back", async () => {
    const path = await newLock();
    const { held, events } = await hold("owner", { lockFiles: [remote(path)] });
    await utimes(path, 1000, 1000);
    await events.next("lock:beat");
    expect((await stat(path)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    const beaten = events.next("lock:beat");
    for (const session of await sessions()) process.kill(session, "SIGKILL");
    await beaten;
    expect(held.lost.aborted).toBe(false);
    await held.release();
    expect(await readdir(join(path, ".."))).toEqual(["a.lock.guard"]);
  });

  it("notices that the file is gone, as after a reboot of the lock's host", async () => {
    const path = await newLock();
    const { held, events } = await hold("owner", { lockFiles: [remote(path)] });
    const lost = events.next("lock:lost");
    await rm(path);
    expect(await lost).toMatchObject({ cause: "taken", detail: "the file is gone" });
    expect(abortReasonOf(held.lost).message).toContain(path);
    await held.release();
    expect(await readdir(join(path, ".."))).toEqual(["a.lock.guard"]);
  });

  it("stops before another breaks the lock, when the host does not answer", async () => {
    const path = await newLock();
    const { held, events } = await hold("owner", { lease: short, lockFiles: [remote(path)] });
    const lost = events.next("lock:lost");
    // Its own sshd is stopped; the other director comes to the same file without it.
    const stopped = await sessions();
    for (const session of stopped) process.kill(session, "SIGSTOP");
    onTestFinished(() => stopped.forEach((session) => process.kill(session, "SIGKILL")));
    const waiter = await director("waiter");
    const broken = waiter.events.next("lock:broken");
    const job = buildJob({ id: "waiter", lease: short, lockFiles: [{ type: "local", path }] });
    const claim = waiter.locks.claim({ job, runId: "run", signal: new AbortController().signal });
    expect(await Promise.race([lost.then(() => "lost"), broken.then(() => "broken")])).toBe("lost");
    expect(abortReasonOf(held.lost).message).toMatch(/could not be confirmed for (?:2\.[5-9]|[3-9]|\d\d)/);
    expect(await broken).toMatchObject({ place: { host: null, path } });
    expect((await claim).kind).toBe("held");
  });
});

describe("what a killed process left on this machine", () => {
  it("is broken at once, and kept as evidence", async () => {
    const path = join(await makeTempDir(), "a.lock");
    const child = execa("sleep", ["600"], { reject: false });
    const { pid = 0 } = child;
    const owner = await describeOwner({ inst: "theirs", name: "other" });
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ");
    const dead = { ...owner, pid, start: Number(fields[21]) };
    const content = lockContent({ owner: dead, hb: 30, ttl: 600, token: "token-of-the-killed-one" });
    await writeFile(path, content);
    const block = blockOn({ type: "local", path }, { waitTimeMs: 50 });
    const { locks, events } = await director("waiter");
    const claim = locks.claim({
      job: buildJob({ blocksOn: [block] }),
      runId: "run",
      signal: new AbortController().signal,
    });
    await events.next("job:blocked");
    expect(events.of("lock:broken")).toEqual([]);
    child.kill("SIGKILL");
    await child;
    expect((await claim).kind).toBe("held");
    expect(events.of("lock:broken")).toMatchObject([{ because: expect.stringContaining("is dead") }]);
    expect(await readFile(`${path}.broken.token-of-the-killed-one`, "utf8")).toBe(content);
  });
});
