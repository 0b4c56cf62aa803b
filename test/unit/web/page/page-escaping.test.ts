import { describe, expect, it } from "vitest";
import { createFakeControl, type FakeControl } from "../../../support/fake-control.ts";
import { outputKey } from "../../../support/fake-history.ts";
import { startPage } from "../../../support/page-in-memory.ts";
import {
  finishedRunId,
  runningRunId,
  sampleChanges,
  sampleJob,
  sampleLocks,
  sampleStatus,
} from "../../../support/status-samples.ts";

describe("what others have written", () => {
  const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&\u202e`;
  const place = { host: evil, path: `/${evil}` };

  function evilControl(): FakeControl {
    const pause = { since: 0, until: null, by: evil, reason: evil };
    const waitingFor = { place, state: "held", owner: evil, detail: evil, since: 0 } as const;
    const lastRun = { runId: finishedRunId, outcome: "failed", message: evil, startedAt: 0, finishedAt: 1 } as const;
    const targets = [evil, "b"].map((targetId) => ({ ...sampleJob("x").targets[0]!, targetId }));
    const job = sampleJob(evil, {
      paused: pause,
      lastRun,
      targets,
      schedules: [evil],
      watch: { directories: 1, degraded: evil },
      fencing: { state: "unfenced", reason: evil },
      lockLimits: [{ host: evil, mode: "sftp", detail: evil }],
    });
    const control = createFakeControl({
      status: sampleStatus({
        ...{ rsyncId: evil, hostname: evil, configFile: evil, version: evil, history: { ok: false, detail: evil } },
        lastReload: { at: 0, ok: false, message: evil },
        jobs: [job, sampleJob("waits", { activity: "waiting", runId: runningRunId, waitingFor })],
        runs: [
          {
            runId: runningRunId,
            state: "running",
            jobs: [evil],
            cause: { kind: "request", by: evil },
            queuedAt: 0,
            startedAt: 0,
          },
        ],
      }),
    });
    control.lockViews = sampleLocks().map((lock) => ({
      ...lock,
      place,
      owner: evil,
      detail: evil,
      job: evil,
      takenBy: [evil],
      blocks: [evil],
    }));
    control.recorded = sampleChanges().map((change) => ({
      ...change,
      path: evil,
      file: evil,
      trigger: evil,
      jobId: evil,
      copy: evil,
    }));
    const [first] = control.records;
    if (first === undefined) throw new Error("there are no sample runs");
    first.message = evil;
    first.requestedJobs = [evil];
    first.jobs = first.jobs.map((ran) => ({
      ...{ ...ran, jobId: evil, message: evil, failedAction: evil, outcome: "failed", reason: evil },
      actions: ran.actions.map((action) => ({
        ...action,
        actionId: evil,
        targetId: evil,
        message: evil,
        argv: [evil],
        signal: evil,
      })),
    }));
    first.lockEvents = first.lockEvents.map((event) => ({ ...event, place, owner: evil, detail: evil, jobId: evil }));
    control.outputs.set(outputKey(first.runId, { jobId: evil, actionId: evil, targetId: evil, attempt: 1 }), evil);
    const of = { runId: runningRunId, jobId: evil, actionId: evil, targetId: evil, attempt: 1 };
    control.emit("action:started", { ...of, argv: [evil], at: 0 });
    control.emit("action:output", { ...of, stream: "stdout", line: evil });
    control.emit("job:blocked", {
      runId: runningRunId,
      jobId: evil,
      place,
      state: "held",
      owner: evil,
      detail: evil,
      at: 0,
    });
    return control;
  }

  const hostile = encodeURIComponent(evil);
  it.each([
    ...["/", `/?q=${hostile}`, `/jobs/${hostile}`, "/runs", `/runs?job=${hostile}`, `/runs/${runningRunId}`],
    ...[
      `/runs/${finishedRunId}`,
      `/runs/${hostile}`,
      "/locks",
      "/changes",
      `/changes?path=${hostile}&run=${hostile}&job=${hostile}`,
    ],
    ...[`/changes/7`, `/changes/7?run=${hostile}`, `/jobs/none${hostile}`, `/changes/${hostile}`],
  ])("is shown as text and stays text: %s", async (path) => {
    const { read } = await startPage(evilControl());
    const body = await read(path);
    expect(body).toContain("alert(1)");
    expect(body).not.toMatch(/<script>|<img|onerror='/);
    expect(body).not.toContain("\u202e");
    // Every tag that is there was written here.
    expect(body.match(/<script\b/g)).toHaveLength(1);
  });

  it("cannot smuggle a query with keys that come twice", async () => {
    const { get } = await startPage(createFakeControl());
    for (const path of [
      "/?q=a&q=b",
      "/changes?path=a&path=b&job=x&job=y",
      "/runs?failed=true&failed=true",
      "/?fragment=full&fragment=lean",
    ]) {
      expect((await get(path)).statusCode, path).toBe(200);
    }
  });
});
