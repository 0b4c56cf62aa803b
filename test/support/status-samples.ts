import type { InstanceStatus, JobStatus, LockView, TargetStatus } from "../../src/model/status.ts";
import type { RecordedChange } from "../../src/model/tracked-change.ts";
import type { ActionRecord, RunRecord } from "../../src/store/run-history.ts";
import { noStats } from "./history-samples.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** When the samples are looked at: all their times lie around it. */
export const sampleNow = Date.UTC(2026, 10, 29, 22, 0);

export const runningRunId = "20261129-215500-aa11bb";
export const finishedRunId = "20261129-023000-cc22dd";
export const failedRunId = "20261128-230000-ee33ff";

/** A job that has one target, is fresh and does nothing; a test names only what it is about. */
export function sampleJob(jobId: string, overrides: Partial<JobStatus> = {}): JobStatus {
  return {
    jobId,
    enabled: true,
    activity: "idle",
    paused: null,
    freshness: "fresh",
    targets: [sampleTarget("local")],
    lastRun: {
      runId: finishedRunId,
      outcome: "ok",
      message: null,
      startedAt: sampleNow - 20 * hour,
      finishedAt: sampleNow - 20 * hour + 5 * minute,
    },
    lastSuccessAt: sampleNow - 20 * hour + 5 * minute,
    nextRunAt: sampleNow + 4 * hour,
    schedules: ["30 2 * * *"],
    watch: null,
    runId: null,
    waitingFor: null,
    actions: [],
    locks: [],
    fencing: null,
    lockLimits: [],
    ...overrides,
  };
}

export function sampleTarget(targetId: string, overrides: Partial<TargetStatus> = {}): TargetStatus {
  return {
    targetId,
    freshness: "fresh",
    lastOutcome: "ok",
    lastFinishedAt: sampleNow - 20 * hour + 5 * minute,
    lastSuccessAt: sampleNow - 20 * hour + 5 * minute,
    pending: null,
    ...overrides,
  };
}

/** One job of every kind that a page or a table has to show. */
export function sampleJobs(): JobStatus[] {
  const lock = { host: null, path: "/run/rsyncdirector-locks/home.lock" };
  return [
    sampleJob("home", {
      activity: "running",
      runId: runningRunId,
      actions: [
        {
          actionId: "copy",
          targetId: "",
          attempt: 1,
          startedAt: sampleNow - 4 * minute,
          progress: {
            ...{ bytes: 3_221_225_472, percent: 62, bytesPerSecond: 12_582_912 },
            ...{ filesTransferred: 1840, filesToCheck: 960, filesTotal: 12_400 },
          },
          millisecondsLeft: 2 * minute,
        },
      ],
      locks: [{ place: lock, token: "t0ken", since: sampleNow - 5 * minute, state: "held" }],
      fencing: { state: "fenced", reason: null },
    }),
    sampleJob("mail", {
      activity: "waiting",
      runId: runningRunId,
      waitingFor: {
        place: { host: "nas", path: "/run/rsyncdirector-locks/mail.lock" },
        state: "held",
        owner: "laptop01 on host laptop (pid 4711)",
        detail: "held by laptop01",
        since: sampleNow - 12 * minute,
      },
    }),
    sampleJob("photos", {
      freshness: "stale",
      targets: [
        sampleTarget("nas"),
        sampleTarget("vault", {
          freshness: "stale",
          lastOutcome: "failed",
          lastSuccessAt: sampleNow - 3 * day,
          pending: { files: 17, oldestAt: sampleNow - 2 * day },
        }),
      ],
      lastRun: {
        runId: failedRunId,
        outcome: "failed",
        message: "copy to vault: rsync exit 23 (some files could not be transferred)",
        startedAt: sampleNow - 23 * hour,
        finishedAt: sampleNow - 22 * hour,
      },
      lastSuccessAt: sampleNow - 3 * day,
      watch: { directories: 812, degraded: null },
    }),
    sampleJob("etc", {
      paused: { since: sampleNow - hour, until: sampleNow + hour, by: "root", reason: "the disk is being replaced" },
      nextRunAt: sampleNow + 30 * hour,
    }),
    sampleJob("archive", {
      enabled: false,
      freshness: "never",
      targets: [
        sampleTarget("tape", { freshness: "never", lastOutcome: null, lastFinishedAt: null, lastSuccessAt: null }),
      ],
      lastRun: null,
      lastSuccessAt: null,
      nextRunAt: null,
      schedules: [],
    }),
  ];
}

export function sampleStatus(overrides: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    rsyncId: "nas",
    version: "0.1.0",
    pid: 4242,
    hostname: "backup.example.org",
    startedAt: sampleNow - 9 * day,
    at: sampleNow,
    configFile: "/etc/rsyncdirector/nas.yaml",
    configLoadedAt: sampleNow - 9 * day,
    lastReload: null,
    history: { ok: true, detail: "" },
    clockDoubt: null,
    jobs: sampleJobs(),
    runs: [
      {
        runId: runningRunId,
        state: "running",
        jobs: ["home", "mail"],
        cause: { kind: "request", by: "alice" },
        queuedAt: sampleNow - 5 * minute,
        startedAt: sampleNow - 5 * minute,
      },
    ],
    ...overrides,
  };
}

export function sampleRuns(): RunRecord[] {
  const action: ActionRecord = {
    actionId: "copy",
    targetId: "",
    attempt: 1,
    startedAt: sampleNow - 20 * hour,
    finishedAt: sampleNow - 20 * hour + 5 * minute,
    outcome: "ok",
    reason: null,
    message: null,
    argv: ["rsync", "-a", "/home/", "nas:/srv/home/"],
    exitCode: 0,
    signal: null,
    stats: { ...noStats, filesTransferred: 12, transferredBytes: 48_000 },
    hasOutput: true,
  };
  const job = {
    jobId: "home",
    startedAt: sampleNow - 20 * hour,
    finishedAt: sampleNow - 20 * hour + 5 * minute,
    outcome: "ok",
    reason: null,
    message: null,
    failedAction: null,
    waitedMs: 1200,
  } as const;
  const run = {
    runId: finishedRunId,
    cause: { kind: "schedule", schedule: "30 2 * * *", scheduledFor: sampleNow - 20 * hour, missed: false },
    startedAt: sampleNow - 20 * hour,
    finishedAt: sampleNow - 20 * hour + 5 * minute,
    outcome: "ok",
    message: null,
    requestedJobs: ["home"],
    transferredBytes: 48_000,
    transferredFiles: 12,
  } as const;
  const acquired = {
    at: sampleNow - 20 * hour,
    kind: "acquired",
    runId: finishedRunId,
    jobId: "home",
    place: { host: "nas", path: "/run/rsyncdirector-locks/home.lock" },
    token: "t0ken",
    owner: null,
    ageMs: null,
    detail: null,
  } as const;
  const failed = {
    outcome: "failed",
    message: "copy to vault: rsync exit 23 (some files could not be transferred)",
    startedAt: sampleNow - 23 * hour,
    finishedAt: sampleNow - 22 * hour,
  } as const;
  const failedAction: ActionRecord = {
    ...action,
    ...failed,
    targetId: "vault",
    reason: "exit",
    exitCode: 23,
    hasOutput: false,
  };
  return [
    { ...run, requestedJobs: ["home"], jobs: [{ ...job, actions: [action] }], lockEvents: [acquired] },
    {
      ...{ ...run, ...failed, runId: failedRunId, cause: { kind: "signal" }, requestedJobs: ["photos"] },
      jobs: [{ ...job, ...failed, jobId: "photos", failedAction: "copy", actions: [failedAction] }],
      lockEvents: [],
    },
  ];
}

export function sampleLocks(): LockView[] {
  const place = (host: string | null, name: string) => ({ host, path: `/run/rsyncdirector-locks/${name}.lock` });
  const none = { owner: null, ours: false, job: null, ageSeconds: null, silentSeconds: null, detail: null };
  return [
    {
      ...{ ...none, place: place(null, "home"), state: "held", owner: "nas on host backup (pid 4242)", ours: true },
      ...{ job: "home", ageSeconds: 300, silentSeconds: 12, takenBy: ["home"], blocks: ["mail"] },
    },
    { ...none, place: place("nas", "mail"), state: "free", takenBy: ["mail"], blocks: [] },
    {
      ...none,
      place: place("vault", "photos"),
      state: "unknown",
      detail: "no answer",
      takenBy: ["photos"],
      blocks: [],
    },
  ];
}

export function sampleChanges(): RecordedChange[] {
  return [
    {
      ...{ id: 7, jobId: "etc", actionId: "copy", runId: finishedRunId, at: sampleNow - 20 * hour, trigger: "cron" },
      ...{ path: "ssh/sshd_config", file: "/etc/ssh/sshd_config", change: "modified", copy: "etc/7", addedLines: 1 },
      before: { kind: "text", size: 120, sha256: "aa".repeat(32), mode: 0o644, uid: 0, gid: 0 },
      after: { kind: "text", size: 130, sha256: "bb".repeat(32) },
      removedLines: 1,
    },
  ];
}

export const sampleDiff = "--- sshd_config\n+++ sshd_config\n@@ -1 +1 @@\n-PermitRootLogin yes\n+PermitRootLogin no\n";
