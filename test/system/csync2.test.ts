import { existsSync } from "node:fs";
import { mkdir, rm, utimes } from "node:fs/promises";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createActionRegistry } from "../../src/action/action.ts";
import { AbortReason } from "../../src/base/abort.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { ChangeKind, PathChange, SyncScope } from "../../src/model/changes.ts";
import { buildJob } from "../support/build-job.ts";
import { type ClusterHost, type Csync2TestCluster, whyNoCluster } from "../support/csync2-cluster.ts";
import { type Csync2Runs, openCsync2Runs } from "../support/csync2-runs.ts";

const missing = whyNoCluster();
if (missing !== undefined) console.warn(`csync2 between three hosts is not tested: ${missing}`);

const full: SyncScope = { kind: "full", reason: "asked for" };
const peers: readonly ClusterHost[] = ["beta", "gamma"];

describe.skipIf(missing !== undefined)("csync2 between three hosts", () => {
  let cluster: Csync2TestCluster;
  let runs: Csync2Runs;
  const run: Csync2Runs["run"] = (...args) => runs.run(...args);
  const write: Csync2Runs["write"] = (...args) => runs.write(...args);
  const read: Csync2Runs["read"] = (...args) => runs.read(...args);

  beforeEach(async () => {
    runs = await openCsync2Runs();
    ({ cluster } = runs);
  });

  const change = (name: string, kind: ChangeKind = "changed"): PathChange => ({
    path: `${cluster.path}/${name}`,
    kind,
  });
  const changes = (...list: PathChange[]): SyncScope => ({ kind: "paths", changes: list });

  it("brings what was made, changed and deleted to every peer, one check and one update for each", async () => {
    await mkdir(cluster.data("alpha", "a/b"), { recursive: true });
    for (const name of ["a/b/one", "a/two", "three", "left.tmp"]) await write("alpha", name, name);
    expect(await run(full)).toMatchObject({ kind: "ok" });
    for (const peer of peers) {
      for (const name of ["a/b/one", "a/two", "three"]) expect(await read(peer, name)).toBe(name);
      expect(existsSync(cluster.data(peer, "left.tmp"))).toBe(false);
    }

    await write("alpha", "three", "three again");
    await rm(cluster.data("alpha", "a"), { recursive: true });
    await mkdir(cluster.data("alpha", "new/deep"), { recursive: true });
    await write("alpha", "new/deep/file", "deep");
    const before = (await cluster.calls()).length;
    // The directories above the new file are not named: csync2 would leave the file out and end well.
    const scope = changes(change("three"), change("a", "deleted"), change("new/deep/file"), change("x.tmp"));
    expect(await run(scope)).toMatchObject({ kind: "ok" });
    for (const peer of peers) {
      expect(await read(peer, "three")).toBe("three again");
      expect(await read(peer, "new/deep/file")).toBe("deep");
      expect(existsSync(cluster.data(peer, "a"))).toBe(false);
    }
    const made = (await cluster.calls())
      .slice(before)
      .map((call) => / (-[couM](?: -[rv]+)*(?: -P \w+)?)/.exec(call)?.[1]);
    expect(made).toEqual(["-o -vv", "-c", "-c -r", "-M", "-u -v -P beta", "-u -v -P gamma", "-M"]);
    expect(await cluster.csync2("alpha", "-M")).toBe("");
  });

  it("sends a change that csync2 cannot see: same size, same second", async () => {
    await write("alpha", "file", "one");
    expect(await run(full)).toMatchObject({ kind: "ok" });
    const second = new Date(1_700_000_000_500);
    await utimes(cluster.data("alpha", "file"), second, second);
    expect(await run(changes(change("file")))).toMatchObject({ kind: "ok" });
    await write("alpha", "file", "two");
    await utimes(cluster.data("alpha", "file"), second, second);
    expect(await run(changes(change("file")))).toMatchObject({ kind: "ok" });
    for (const peer of peers) expect(await read(peer, "file")).toBe("two");
  });

  it("names the peer that is down, serves the others, and makes it whole later", async () => {
    expect(await run(full)).toMatchObject({ kind: "ok" });
    await cluster.stop("beta");
    await write("alpha", "file", "text");
    const outcome = await run(changes(change("file")));
    expect(outcome).toMatchObject({ kind: "failed", retryable: true });
    expect(outcome).toHaveProperty(
      "message",
      "beta: beta cannot be reached (Connection refused): its csync2 has to answer on TCP port 30865; its files stay marked (1 file waits)",
    );
    expect(await read("gamma", "file")).toBe("text");
    await cluster.start("beta");
    expect(await run(changes(change("file")))).toMatchObject({ kind: "ok" });
    expect(await read("beta", "file")).toBe("text");
  });

  it("gives up on a peer that does not answer, and serves the others", async () => {
    onTestFinished(await cluster.cutOff("beta"));
    await write("alpha", "file", "text");
    const outcome = await run(full, { ssh: { ...cluster.action.ssh, connectTimeoutMs: 2000 } });
    expect(outcome).toMatchObject({ kind: "failed", retryable: true });
    expect(outcome).toHaveProperty(
      "message",
      expect.stringContaining("beta: beta does not answer (no connection in 2 s)"),
    );
    expect(await read("gamma", "file")).toBe("text");
  });

  it("takes no peer for silent because the director itself stood still until its time was over", async () => {
    const timesUp = runs.holdWait(cluster.action.ssh.connectTimeoutMs);
    await write("alpha", "file", "text");
    const outcome = run(full, { peers: ["beta"] });
    const endTime = await timesUp;
    // It is over right after this, before anything is read that csync2 says meanwhile.
    setTimeout(endTime);
    const end = performance.now() + 60_000;
    while (!existsSync(cluster.data("beta", "file")) && performance.now() < end);
    expect(await outcome).toMatchObject({ kind: "ok" });
  });

  it("does not check again what csync2 knows as it is, as after it was received", async () => {
    await mkdir(cluster.data("beta", "new"));
    await write("beta", "new/file", "beta's");
    await cluster.csync2("beta", "-c", "-r", cluster.path);
    await cluster.csync2("beta", "-u");
    expect(await read("alpha", "new/file")).toBe("beta's");
    expect(await run(changes(change("new"), change("new/file")))).toMatchObject({ kind: "ok" });
    const calls = (await cluster.calls()).join("\n");
    expect(calls).toMatch(/ -o -vv .*new\/file/);
    expect(calls).not.toMatch(/ -[cum] /);
  });

  it("copies with rsync what a peer lacks when much waits, and leaves to csync2 what it has", async () => {
    await write("alpha", "known", "first");
    expect(await run(full)).toMatchObject({ kind: "ok" });
    await write("beta", "known", "changed on beta");
    await write("alpha", "known", "alpha's");
    for (let index = 0; index < 50; index += 1) await write("alpha", `file ${index}`, `text ${index}`);
    await rm(cluster.data("alpha", "file 0"));
    const before = (await cluster.calls()).length;
    const outcome = await run(full, { rsyncThreshold: 10 });
    expect(outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("conflict") });
    const calls = (await cluster.calls()).slice(before);
    expect(calls.filter((call) => call.startsWith("rsync"))).toHaveLength(2);
    // rsync has brought them: csync2 found all of them equal.
    const output = outcome.kind === "failed" ? (outcome.report?.output ?? "") : "";
    expect(output.match(/^Updating .*file \d+ on \w+ \.\.\.\nFile is already up to date/gm)).toHaveLength(2 * 49);
    expect(await read("beta", "known")).toBe("changed on beta");
    for (const peer of peers) {
      for (let index = 1; index < 50; index += 1) expect(await read(peer, `file ${index}`)).toBe(`text ${index}`);
      // Both databases agree: the peer finds nothing to send back.
      await cluster.csync2(peer, "-c", "-r", cluster.path);
    }
    expect(await cluster.csync2("gamma", "-M")).toBe("");
  });

  it("is carried by csync2 alone when rsync cannot, and says so", async () => {
    for (let index = 0; index < 5; index += 1) await write("alpha", `file${index}`, "text");
    const registry = createActionRegistry({
      ...cluster.deps,
      remoteShell: async () => ({ shell: ["/bin/false"] }),
    });
    const action = { ...cluster.action, rsyncThreshold: 2 };
    const job = buildJob({ actions: [action] });
    const outcome = await registry(job, action, {
      ...{ runId: "run", jobId: "job", target: job.targets[0]!, scope: full, attempt: 1, dryRun: false, holds: [] },
      signal: new AbortController().signal,
      log: silentLogger,
      onSpawned: () => undefined,
      onStarted: () => undefined,
      onOutput: () => undefined,
      onProgress: () => undefined,
    });
    expect(outcome).toMatchObject({
      kind: "warning",
      message: expect.stringMatching(/^beta: rsync ended with \d+: .*; csync2 carried everything itself; gamma: rsync/),
    });
    for (const peer of peers) expect(await read(peer, "file4")).toBe("text");
  });

  it("updates several peers at the same time when told so", async () => {
    const heal = await cluster.cutOff("beta");
    await write("alpha", "file", "text");
    const patient = { ...cluster.action.ssh, connectTimeoutMs: 600_000 };
    const outcome = run(full, { parallelUpdates: 2, ssh: patient });
    // beta, whose turn comes first, has not even answered.
    await expect.poll(() => existsSync(cluster.data("gamma", "file")), { timeout: 60_000 }).toBe(true);
    expect(existsSync(cluster.data("beta", "file"))).toBe(false);
    await heal();
    expect(await outcome).toMatchObject({ kind: "ok" });
    expect(await read("beta", "file")).toBe("text");
  });

  it("looks at everything again after reset_after paths", async () => {
    await write("alpha", "file", "text");
    const action = { resetAfter: 2 };
    expect(await run(changes(change("file")), action)).toMatchObject({ kind: "ok" });
    await write("alpha", "unseen", "no event told of it");
    expect(await run(changes(change("file")), action)).toMatchObject({ kind: "ok" });
    expect(existsSync(cluster.data("beta", "unseen"))).toBe(false);
    expect(await run(changes(change("file")), action)).toMatchObject({ kind: "ok" });
    expect(await read("beta", "unseen")).toBe("no event told of it");
  });

  it("only looks in the mode check, and says what waits", async () => {
    await write("alpha", "file", "text");
    expect(await run(full, { mode: "check" })).toMatchObject({
      kind: "warning",
      message: "beta: 2 files wait to be sent; gamma: 2 files wait to be sent",
    });
    expect(existsSync(cluster.data("beta", "file"))).toBe(false);
  });

  it("is stopped with its child", async () => {
    onTestFinished(await cluster.cutOff("beta"));
    await write("alpha", "file", "text");
    const controller = new AbortController();
    const outcome = run(full, { ssh: { ...cluster.action.ssh, connectTimeoutMs: 600_000 } }, controller.signal);
    await expect.poll(async () => (await cluster.calls()).at(-1)).toContain("-P beta");
    controller.abort(new AbortReason("shutdown", "shutdown came"));
    expect(await outcome).toMatchObject({ kind: "cancelled", reason: "shutdown" });
  });

  it("says what is wrong with the configuration before it does anything", async () => {
    expect(await run(full, { hostname: "delta" })).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("csync2_web.cfg under the name delta"),
    });
    expect(await run(full, { peers: ["delta"] })).toMatchObject({ message: expect.stringContaining("no peer delta") });
    expect(await run(full, { config: "none" })).toMatchObject({ message: expect.stringContaining("csync2_none.cfg") });
  });
});
