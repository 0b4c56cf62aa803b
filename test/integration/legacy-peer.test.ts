import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { Job, LockFile, LockLease } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { blockOn } from "../support/lock-fixture.ts";
import { waitUntil } from "../support/process-state.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/**
 * What the documents say that the original does, in its order: it waits while the block exists, does something
 * else for a while, writes a bare process id without looking again, works, and removes the file whoever's it is.
 * It stands in for the real program, which cannot be held between its look and its file, and that is the moment that all
 * of these tests are about. Python and its libraries would have to be fetched for every run besides.
 */
const original = `
  block=$1 own=$2
  while [ -e "$block" ]; do echo waiting; sleep 0.05; done
  echo looked; read -r _
  echo $$ >"$own"
  echo working; read -r _
  rm -f "$own"
  echo done`;

const quick = { leaseTickMs: 20, beatRetryMs: 50, backoffBaseMs: 20, backoffMaxMs: 100 };
const lease: LockLease = { ...defaultLease, heartbeatMs: 100, settleMs: 1500 };

async function startOriginal(block: string, own: string) {
  const child = spawn("/bin/sh", ["-c", original, "original", block, own], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const lines = createInterface({ input: child.stdout });
  const said: string[] = [];
  lines.on("line", (line) => said.push(line));
  return {
    pid: child.pid,
    said,
    says: (what: string) => waitUntil(`the original says ${what}`, () => said.includes(what)),
    goOn: () => void child.stdin.write("\n"),
  };
}

async function newPaths() {
  const directory = await makeTempDir();
  const local = (name: string): LockFile => ({ type: "local", path: join(directory, name) });
  return { ours: local("ours"), theirs: local("theirs") };
}

async function claimFor(job: Partial<Job>) {
  const made = await createRealLocks("ours", quick);
  onTestFinished(() => made.close());
  const request = { job: buildJob({ id: "ours", lease, ...job }), runId: "run" };
  const claim = made.locks.claim({ ...request, signal: new AbortController().signal });
  return { ...made, claim };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("a stand-in for the Python original, which does what the documents say of it", () => {
  it("waits for our lock as long as it is held", async () => {
    const { ours, theirs } = await newPaths();
    const { claim } = await claimFor({ lockFiles: [ours] });
    const held = await claim;
    if (held.kind !== "held") throw new Error(held.kind);
    const peer = await startOriginal(ours.path, theirs.path);
    await peer.says("waiting");
    expect(peer.said).not.toContain("looked");
    expect(await held.held.release()).toEqual([]);
    await peer.says("looked");
  });

  it("is waited for as long as its file is there, with its bare process id, which is not asked after", async () => {
    const { ours, theirs } = await newPaths();
    const peer = await startOriginal(ours.path, theirs.path);
    await peer.says("looked");
    peer.goOn();
    await peer.says("working");
    const { claim, events } = await claimFor({
      lockFiles: [ours],
      blocksOn: [blockOn({ ...theirs, peer: "legacy" }, { waitTimeMs: 50 })],
    });
    expect(await events.next("job:blocked")).toMatchObject({ state: "held", owner: String(peer.pid) });
    expect(await exists(ours.path)).toBe(false);
    peer.goOn();
    await peer.says("done");
    expect((await claim).kind).toBe("held");
    expect(events.of("lock:foreign")).toMatchObject([{ owner: String(peer.pid) }]);
    expect(events.of("lock:broken")).toEqual([]);
  });

  it("gets the way when it writes its file after our claim: `peer: legacy` waits before it looks again", async () => {
    const { ours, theirs } = await newPaths();
    // It has found our file absent, and will write its own whatever happens meanwhile.
    const peer = await startOriginal(ours.path, theirs.path);
    await peer.says("looked");
    const { claim, events } = await claimFor({
      // As long as the other may need to write its file.
      lease: { ...lease, settleMs: 10_000 },
      lockFiles: [ours],
      blocksOn: [blockOn({ ...theirs, peer: "legacy" }, { waitTimeMs: 50 })],
    });
    let held = false;
    void claim.then(() => (held = true));
    await waitUntil("our claim is there", () => exists(ours.path));
    const withdrawn = events.next("lock:withdrawn");
    peer.goOn();
    await peer.says("working");
    await withdrawn;
    expect({ held, ours: await exists(ours.path) }).toEqual({ held: false, ours: false });
    peer.goOn();
    await peer.says("done");
    expect((await claim).kind).toBe("held");
  });

  it("takes our lock away when it has the same file, which cannot be prevented but is noticed", async () => {
    const { ours, theirs } = await newPaths();
    const { claim, events } = await claimFor({ lockFiles: [ours] });
    const peer = await startOriginal(theirs.path, ours.path);
    await peer.says("looked");
    const result = await claim;
    if (result.kind !== "held") throw new Error(result.kind);
    const lost = events.next("lock:lost");
    peer.goOn();
    expect(await lost).toMatchObject({ cause: "taken" });
    expect(result.held.lost.aborted).toBe(true);
    await result.held.release();
    expect(await readFile(ours.path, "utf8")).toBe(`${peer.pid}\n`);
    peer.goOn();
    await peer.says("done");
    await rm(ours.path, { force: true });
  });
});
