import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { DirectorEvent } from "../../src/web/director-control.ts";
import { copyJob, runDaemonHere, startHere } from "../support/running-daemon.ts";

/** Enough for a copy at 200 kB/s to be looked at while it runs. */
const large = Buffer.alloc(4_000_000, "x");

function valueOf<T>(answer: { kind: string; value?: T }): T {
  expect(answer).toMatchObject({ kind: "done" });
  return answer.value as T;
}

describe("status", () => {
  it("tells of a running copy how far it is, and of its end", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "slow", lock_files: [{ type: "local", path: path("locks/own") }] }, 1000)],
    }));
    await writeFile(instance.path("source/large"), large);
    const progress = next("action:progress", (event) => event.progress.percent > 0);
    const { runId } = valueOf(control.run([], "anna"));
    await progress;
    const [job] = control.status().jobs;
    expect(job).toMatchObject({
      ...{ jobId: "slow", activity: "running", runId, freshness: "never", waitingFor: null },
      actions: [{ actionId: "copy", targetId: "", attempt: 1 }],
      locks: [{ place: { host: null, path: instance.path("locks/own") }, state: "held" }],
      fencing: { state: "fenced", reason: null },
    });
    expect(job?.actions[0]?.progress?.bytes).toBeGreaterThan(0);
    expect(job?.actions[0]?.millisecondsLeft).toBeGreaterThan(0);
    expect(control.status().runs).toMatchObject([{ runId, state: "running", cause: { kind: "request", by: "anna" } }]);
    await next("run:finished");
    expect(control.status()).toMatchObject({
      rsyncId: "test",
      history: { ok: true },
      runs: [],
      jobs: [{ activity: "idle", freshness: "fresh", runId: null, actions: [], locks: [], lastRun: { runId } }],
    });
    expect(control.recentRuns("slow")).toMatchObject([{ runId, outcome: "ok", bytes: large.length, files: 1 }]);
  });

  it("names the lock that a job waits for, and since when", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [
        copyJob(path, { id: "patient", blocks_on: [{ type: "local", path: path("locks/other"), wait_time: "1s" }] }),
        copyJob(path, { id: "later" }),
      ],
    }));
    await writeFile(instance.path("source/file"), "x");
    await writeFile(instance.path("locks/other"), "4711\n");
    const blocked = next("job:blocked");
    const { runId } = valueOf(control.run(["patient", "later"], "anna"));
    const { at } = await blocked;
    const place = { host: null, path: instance.path("locks/other") };
    expect(control.status().jobs).toMatchObject([
      { activity: "waiting", runId, waitingFor: { place, state: "held", owner: "4711", since: at } },
      { activity: "queued", runId, waitingFor: null },
    ]);
    expect(await control.locks()).toMatchObject([{ place, state: "foreign", owner: "4711", blocks: ["patient"] }]);
    const finished = next("run:finished");
    await rm(instance.path("locks/other"));
    expect(await finished).toMatchObject({ outcome: "ok" });
    expect(await control.locks()).toMatchObject([{ place, state: "free", ours: false, takenBy: [] }]);
  });

  it("says that a job runs unfenced, and why, also when it has ended", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "bare", hold: "off", lock_files: [{ type: "local", path: path("locks/own") }] })],
    }));
    await writeFile(instance.path("source/file"), "x");
    expect(control.status().jobs).toMatchObject([{ fencing: null }]);
    const finished = next("run:finished");
    control.run([], "anna");
    await finished;
    expect(control.status().jobs).toMatchObject([
      { activity: "idle", fencing: { state: "unfenced", reason: "it is switched off (hold: off)" } },
    ]);
  });

  it("knows what happened in an earlier life", async () => {
    const first = await runDaemonHere((path) => ({ jobs: [copyJob(path, { id: "copy", schedule: "0 0 1 1 *" })] }));
    await writeFile(first.instance.path("source/file"), "x");
    const finished = first.next("run:finished");
    const { runId } = valueOf(first.control.run(["copy"], "anna"));
    const { finishedAt } = await finished;
    await first.stop();
    const { control } = await startHere(first.instance);
    const [job] = control.status().jobs;
    expect(job).toMatchObject({ freshness: "fresh", lastRun: { runId, outcome: "ok", message: null } });
    expect(Math.abs((job?.lastSuccessAt ?? 0) - finishedAt)).toBeLessThan(1000);
    expect(job?.nextRunAt).toBeGreaterThan(finishedAt);
    expect(control.schedule(2)).toMatchObject([{ jobs: ["copy"], schedule: "0 0 1 1 *" }]);
    expect(control.schedule(2)[0]?.times).toHaveLength(2);
  });
});

describe("cancel", () => {
  it("ends a running rsync, frees the locks before it answers, and lets the next run begin", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "slow", lock_files: [{ type: "local", path: path("locks/own") }] }, 200)],
    }));
    await writeFile(instance.path("source/large"), large);
    const started = next("action:started");
    const { runId } = valueOf(control.run(["slow"], "anna"));
    await started;
    const queued = valueOf(control.run(["slow"], "anna"));
    expect(control.status().runs.map(({ state }) => state)).toEqual(["running", "queued"]);
    expect(await control.cancel(queued.runId, "bert")).toEqual({ kind: "done", value: queued });
    const ended = next("run:finished");
    expect(await control.cancel(runId, "bert")).toEqual({ kind: "done", value: { runId } });
    const outcome = { kind: "cancelled", reason: "cancelled", message: "the run was cancelled by bert" };
    expect(await ended).toMatchObject({ runId, outcome: "cancelled", jobs: [{ jobId: "slow", outcome }] });
    await expect(readFile(instance.path("locks/own"))).rejects.toThrow("ENOENT");
    expect(control.queryHistory((history) => history.readRun(queued.runId))).toMatchObject({
      outcome: "cancelled",
      jobs: [{ jobId: "slow", outcome: "cancelled", message: "the run was cancelled by bert", actions: [] }],
    });
    expect(await control.cancel(runId, "bert")).toMatchObject({ kind: "unknown" });
  });
});

describe("pause", () => {
  it("skips a job whoever asks, is kept over a restart, and ends with resume", async () => {
    const first = await runDaemonHere((path) => ({ jobs: [copyJob(path, { id: "a" }), copyJob(path, { id: "b" })] }));
    await writeFile(first.instance.path("source/file"), "x");
    valueOf(first.control.pause("a", { until: null, by: "anna", reason: "disk is replaced" }));
    const refusal = first.control.run(["a"], "bert");
    expect(refusal).toMatchObject({ kind: "conflict" });
    expect("message" in refusal && refusal.message).toMatch(/paused by anna.*disk is replaced.*rsyncdirector resume a/);
    const finished = first.next("run:finished");
    valueOf(first.control.run([], "bert"));
    expect(await finished).toMatchObject({
      outcome: "skipped",
      jobs: [{ jobId: "a", outcome: { kind: "skipped", cause: "paused" } }, { outcome: { kind: "ok" } }],
    });
    expect(first.control.status().jobs).toMatchObject([
      { jobId: "a", freshness: "never", lastRun: null, paused: { by: "anna", until: null } },
      { jobId: "b", freshness: "fresh", paused: null },
    ]);
    expect(await first.instance.scrape()).toMatch(/job_skipped_total\{job_id="a",cause="paused"\} 1/);
    const foreground = await first.instance.cli("run", "a", "--dry-run");
    expect(foreground.exitCode).toBe(0);
    await first.stop();
    expect(await first.instance.cli("run", "a")).toMatchObject({ exitCode: 75 });
    const { control } = await startHere(first.instance);
    expect(control.status().jobs[0]?.paused).toMatchObject({ by: "anna", reason: "disk is replaced" });
    expect(control.resume("a", "anna")).toEqual({ kind: "done", value: { wasPaused: true } });
    expect(control.resume("a", "anna")).toEqual({ kind: "done", value: { wasPaused: false } });
    valueOf(control.run(["a"], "anna"));
    expect(control.pause("nobody", { until: null, by: "anna", reason: null })).toMatchObject({ kind: "unknown" });
  });

  it("keeps what a watched job has to carry, and carries it when it is resumed", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "watched", watch: { debounce: "100ms", max_delay: "1s" } })],
    }));
    await writeFile(instance.path("source/first"), "1");
    await next("run:finished", ({ outcome }) => outcome === "ok");
    valueOf(control.pause("watched", { until: null, by: "anna", reason: null }));
    const skipped = next("job:finished", ({ outcome }) => outcome.kind === "skipped");
    await writeFile(instance.path("source/second"), "2");
    expect(await skipped).toMatchObject({ outcome: { cause: "paused" } });
    // Further changes are kept without a run each.
    const batch = next("watch:batch");
    await writeFile(instance.path("source/third"), "3");
    await batch;
    expect(control.status().runs).toEqual([]);
    expect(control.status().jobs[0]?.targets[0]?.pending).toMatchObject({ files: 2 });
    await expect(readFile(instance.path("dest/second"))).rejects.toThrow("ENOENT");
    const carried = next("run:finished");
    control.resume("watched", "anna");
    expect(await carried).toMatchObject({ outcome: "ok", cause: { kind: "watch" } });
    expect(await readFile(instance.path("dest/second"), "utf8")).toBe("2");
    expect(await readFile(instance.path("dest/third"), "utf8")).toBe("3");
    expect(control.status().jobs[0]?.targets[0]?.pending).toBeNull();
  });

  it("ends when its time is over", async () => {
    const { control, next } = await runDaemonHere((path) => ({ jobs: [copyJob(path, { id: "a" })] }));
    const resumed = next("job:resumed");
    valueOf(control.pause("a", { until: Date.now() + 300, by: "anna", reason: null }));
    expect(await resumed).toMatchObject({ jobId: "a", by: null });
    expect(control.status().jobs[0]?.paused).toBeNull();
  });
});

describe("follow", () => {
  it("tells what a run has done so far, what it does, and its end; and without whole outputs", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "slow" }, 1000), copyJob(path, { id: "other", enabled: false })],
    }));
    await writeFile(instance.path("source/large"), large);
    const progress = next("action:progress");
    const { runId } = valueOf(control.run(["slow"], "anna"));
    await progress;
    const seen: DirectorEvent[] = [];
    const ended = new Promise<void>((resolve) => {
      control.follow({ runId }, (event) => {
        seen.push(event);
        if (event.name === "run:finished") resolve();
      });
    });
    expect(seen.map(({ name }) => name).slice(0, 3)).toEqual(["run:queued", "run:started", "job:started"]);
    await ended;
    const finished = seen.find((event) => event.name === "action:finished");
    expect(finished?.payload).toMatchObject({ outcome: { kind: "ok", report: { output: "" } } });
    const late: string[] = [];
    control.follow({ runId }, ({ name }) => late.push(name));
    expect(late.at(-1)).toBe("run:finished");
  });
});

describe("changes", () => {
  it("are listed with ids by which their differences are found", async () => {
    const { control, instance, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "tracked", track_changes: true })],
    }));
    expect(control.changes({ limit: 10 })).toEqual([]);
    await mkdir(instance.path("source/etc"));
    for (const text of ["one\n", "two words\n"]) {
      await writeFile(instance.path("source/etc/conf"), text);
      const finished = next("run:finished");
      valueOf(control.run([], "anna"));
      await finished;
    }
    const [change] = control.changes({ limit: 10 }) ?? [];
    expect(change).toMatchObject({ path: "etc/conf", change: "modified", jobId: "tracked" });
    expect(await control.changeDiff(change?.id ?? -1)).toContain("+two words");
    expect(await control.changeDiff(987_654)).toBeUndefined();
  });
});
