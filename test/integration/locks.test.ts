import { once } from "node:events";
import { cp, open, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { AbortReason } from "../../src/base/abort.ts";
import type { LockFile } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { locksIn } from "../support/lock-names.ts";
import { blockOn } from "../support/lock-fixture.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { freePort, startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const quick = { backoffBaseMs: 20, backoffMaxMs: 200, yieldPollMs: 20, yieldWaitMs: 1000 };

async function director(name: string, timings = {}) {
  const made = await createRealLocks(name, { ...quick, ...timings });
  onTestFinished(() => made.close());
  return made;
}

describe("locks over a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  const remote = (path: string, overrides = {}): LockFile => ({
    type: "remote",
    path,
    endpoint: endpointOf(sshd, overrides),
  });
  const local = (path: string): LockFile => ({ type: "local", path });

  it.each([
    ["both remote", remote, remote],
    ["one here, one remote", local, remote],
    ["both here", local, local],
  ])("keeps two jobs that list each other apart: %s", async (_, first, second) => {
    const directory = await makeTempDir();
    const [a, b] = [join(directory, "a.lock"), join(directory, "b.lock")];
    const witness = join(directory, "witness");
    const jobs = [
      buildJob({ id: "one", lockFiles: [first(a)], blocksOn: [blockOn(second(b), { waitTimeMs: 20 })] }),
      buildJob({ id: "two", lockFiles: [second(b)], blocksOn: [blockOn(first(a), { waitTimeMs: 20 })] }),
    ];
    const runs = 25;
    const work = jobs.map(async (job) => {
      const { locks, events } = await director(job.id);
      for (let run = 0; run < runs; run += 1) {
        const claim = await locks.claim({ job, runId: String(run), signal: new AbortController().signal });
        if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
        // The kernel is the witness: a second `wx` open of the same file fails.
        await (await open(witness, "wx")).close();
        await new Promise((resolve) => setImmediate(resolve));
        await rm(witness);
        await claim.held.release();
      }
      return events.of("lock:acquired").length;
    });
    const acquired = await Promise.all(work);
    expect(Math.min(...acquired)).toBeGreaterThanOrEqual(runs);
    expect((await readdir(directory)).toSorted()).toEqual(["a.lock.guard", "b.lock.guard"]);
  });

  it("frees the locks on both hosts at release, and they stay until then", async () => {
    const directory = await makeTempDir();
    const { locks } = await director("one");
    const job = buildJob({ lockFiles: [local(join(directory, "here")), remote(join(directory, "there"))] });
    const claim = await locks.claim({ job, runId: "1", signal: new AbortController().signal });
    expect((await locksIn(directory)).toSorted()).toEqual(["here", "there"]);
    if (claim.kind === "held") await claim.held.release();
    expect(await locksIn(directory)).toEqual([]);
  });

  it("does not block itself by a file in both lists, not even under two names", async () => {
    const path = join(await makeTempDir(), "same.lock");
    const { locks, events } = await director("one");
    const job = buildJob({ lockFiles: [remote(path)], blocksOn: [blockOn(remote(path)), blockOn(local(path))] });
    const claim = await locks.claim({ job, runId: "1", signal: new AbortController().signal });
    expect(claim.kind).toBe("held");
    expect(events.of("job:blocked")).toEqual([]);
    if (claim.kind === "held") await claim.held.release();
  });

  it("waits for the bare lock file of another program and goes on when it is gone", async () => {
    const directory = await makeTempDir();
    const path = join(directory, "other.lock");
    await writeFile(path, "1234\n");
    const { locks, events } = await director("one");
    const job = buildJob({
      lockFiles: [remote(join(directory, "mine"))],
      blocksOn: [blockOn(remote(path), { waitTimeMs: 50 })],
    });
    const blocked = events.next("job:blocked");
    const claim = locks.claim({ job, runId: "1", signal: new AbortController().signal });
    expect(await blocked).toMatchObject({ state: "held", owner: "1234", place: { host: "127.0.0.1", path } });
    await rm(path);
    expect((await claim).kind).toBe("held");
    expect(events.of("job:unblocked")).toMatchObject([{ outcome: "free" }]);
  });

  /** Enough for a first look on a slow machine, which starts programs for it. */
  const givenMs = 6000;

  it("is never free and times out in its time when nobody listens on the lock host", async () => {
    const path = join(await makeTempDir(), "x");
    const block = blockOn(remote(path, { port: await freePort() }), { waitTimeMs: 200, timeoutMs: givenMs });
    const message = expect.stringContaining("ECONNREFUSED");
    expect(await claimBlocked(block)).toMatchObject({ kind: "timeout", message });
  });

  it("is never free and times out in its time when the lock host accepts and stays silent", async () => {
    const sockets: { destroy(): void }[] = [];
    const server = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const block = blockOn(remote("/tmp/x", { port }), { waitTimeMs: 200, timeoutMs: givenMs });
    const message = expect.stringContaining("no answer in time");
    expect(await claimBlocked(block)).toMatchObject({ kind: "timeout", message });
  });

  async function claimBlocked(block: ReturnType<typeof blockOn>) {
    const { locks, events } = await director("one", { lastLookMs: 1500 });
    const job = buildJob({ blocksOn: [block] });
    const claim = await locks.claim({ job, runId: "1", signal: new AbortController().signal });
    for (const { waitedMs } of events.of("job:unblocked")) expect(waitedMs).toBeGreaterThanOrEqual(givenMs);
    return claim;
  }

  it("fails with the reason when its own lock host has an unknown key, and tries no second login", async () => {
    const knownHostsFile = join(await makeTempDir(), "none");
    const { locks } = await director("one");
    const job = buildJob({ lockFiles: [remote("/tmp/x", { knownHostsFile })] });
    const signal = new AbortController().signal;
    const first = await locks.claim({ job, runId: "1", signal });
    expect(first).toMatchObject({ kind: "failed", message: expect.stringMatching(/host key of .* is not known/) });
    const second = await locks.claim({ job, runId: "2", signal });
    expect(second).toMatchObject({ kind: "failed", message: expect.stringContaining("not tried again for") });
  });

  it("stops waiting for a silent host at once when the job is cancelled", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { locks } = await director("one");
    const stop = new AbortController();
    const job = buildJob({ lockFiles: [remote("/tmp/x", { port })] });
    const connected = once(server, "connection");
    const claim = locks.claim({ job, runId: "1", signal: stop.signal });
    const [socket] = (await connected) as [{ destroy(): void }];
    stop.abort(new AbortReason("shutdown", "SIGTERM"));
    expect(await claim).toMatchObject({ kind: "cancelled", reason: { kind: "shutdown" } });
    socket.destroy();
  });

  it("frees its locks after the lock host was restarted under it", async () => {
    const first = await startSshd();
    const directory = await makeTempDir();
    const keys = join(await makeTempDir(), "keys");
    await cp(first.directory, keys, { recursive: true });
    const endpoint = endpointOf(first, {
      identityFile: join(keys, "client_key"),
      knownHostsFile: join(keys, "known_hosts"),
    });
    const { locks, events } = await director("one", { releaseDeadlineMs: 50_000 });
    const job = buildJob({ lockFiles: [{ type: "remote", path: join(directory, "x"), endpoint }] });
    const claim = await locks.claim({ job, runId: "1", signal: new AbortController().signal });
    if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
    await first.stop();
    const released = claim.held.release();
    const second = await startSshd({ directory: keys, port: first.port });
    onTestFinished(() => second.stop());
    await released;
    expect(await readdir(directory)).toEqual(["x.guard"]);
    expect(events.of("lock:stuck")).toEqual([]);
  });
});
