import type { WatchState } from "../model/changes.ts";
import type { LockPlace, RunCause } from "../model/run.ts";
import type {
  ActiveAction,
  ClockDoubt,
  HeldLock,
  InstanceStatus,
  JobFencing,
  JobStatus,
  LastRun,
  LockLimit,
  LockView,
  OpenRun,
  Pause,
  RecentRun,
  TargetStatus,
  WaitingFor,
} from "../model/status.ts";
import type { TransferProgress } from "../model/transfer.ts";
import { anyNumber, anyText, choice, count, flag, list, objectOf, oneOf, orNull, time } from "./json-schema.ts";

/** The types of `src/model/status.ts`, as the API describes them. */
export const outcome = choice("ok", "warning", "skipped", "failed", "cancelled");
const freshness = choice("fresh", "stale", "never", "unmeasured", "unknown");

type CauseOf<Kind extends RunCause["kind"]> = Extract<RunCause, { kind: Kind }>;

export const runCause = oneOf(
  objectOf<CauseOf<"schedule">>({ kind: choice("schedule"), schedule: anyText, scheduledFor: time, missed: flag }),
  objectOf<CauseOf<"signal">>({ kind: choice("signal") }),
  objectOf<CauseOf<"request">>({ kind: choice("request"), by: anyText }),
  objectOf<CauseOf<"watch">>({ kind: choice("watch"), path: anyText }),
);

export const lockPlace = objectOf<LockPlace>({ host: orNull(anyText), path: anyText });

export const pause = objectOf<Pause>({ since: time, until: orNull(time), by: anyText, reason: orNull(anyText) });

const openRun = objectOf<OpenRun>({
  runId: anyText,
  state: choice("queued", "running"),
  jobs: list(anyText),
  cause: runCause,
  queuedAt: time,
  startedAt: orNull(time),
});

const targetStatus = objectOf<TargetStatus>({
  targetId: anyText,
  freshness,
  lastOutcome: orNull(outcome),
  lastFinishedAt: orNull(time),
  lastSuccessAt: orNull(time),
  pending: orNull(objectOf<NonNullable<TargetStatus["pending"]>>({ files: orNull(count), oldestAt: time })),
});

const lastRun = objectOf<LastRun>({
  runId: anyText,
  outcome,
  message: orNull(anyText),
  startedAt: time,
  finishedAt: time,
});

const waitingFor = objectOf<WaitingFor>({
  place: lockPlace,
  state: choice("held", "unknown"),
  owner: orNull(anyText),
  detail: anyText,
  since: time,
});

const progress = objectOf<TransferProgress>({
  bytes: anyNumber,
  percent: anyNumber,
  bytesPerSecond: anyNumber,
  filesTransferred: orNull(count),
  filesToCheck: orNull(count),
  filesTotal: orNull(count),
});

const activeAction = objectOf<ActiveAction>({
  actionId: anyText,
  targetId: anyText,
  attempt: count,
  startedAt: time,
  progress: orNull(progress),
  millisecondsLeft: orNull(anyNumber),
});

const heldLock = objectOf<HeldLock>({
  place: lockPlace,
  token: anyText,
  since: time,
  state: choice("claimed", "held", "suspect", "stuck"),
});

export const jobStatus = objectOf<JobStatus>({
  jobId: anyText,
  enabled: flag,
  activity: choice("idle", "queued", "waiting", "running"),
  paused: orNull(pause),
  freshness,
  targets: list(targetStatus),
  lastRun: orNull(lastRun),
  lastSuccessAt: orNull(time),
  nextRunAt: orNull(time),
  schedules: list(anyText),
  watch: orNull(objectOf<WatchState>({ directories: count, degraded: orNull(anyText) })),
  runId: orNull(anyText),
  waitingFor: orNull(waitingFor),
  actions: list(activeAction),
  locks: list(heldLock),
  fencing: orNull(objectOf<JobFencing>({ state: choice("fenced", "unfenced", "none"), reason: orNull(anyText) })),
  lockLimits: list(objectOf<LockLimit>({ host: orNull(anyText), mode: choice("sftp", "refused"), detail: anyText })),
});

export const instanceStatus = objectOf<InstanceStatus>({
  rsyncId: anyText,
  version: anyText,
  pid: count,
  hostname: anyText,
  startedAt: time,
  at: time,
  configFile: anyText,
  configLoadedAt: time,
  lastReload: orNull(objectOf<NonNullable<InstanceStatus["lastReload"]>>({ at: time, ok: flag, message: anyText })),
  history: objectOf<InstanceStatus["history"]>({ ok: flag, detail: anyText }),
  clockDoubt: orNull(objectOf<ClockDoubt>({ since: time, lastSeenAt: orNull(time), until: time })),
  jobs: list(jobStatus),
  runs: list(openRun),
});

export const recentRun = objectOf<RecentRun>({
  runId: anyText,
  outcome,
  startedAt: time,
  durationMs: anyNumber,
  bytes: orNull(anyNumber),
  files: orNull(count),
});

export const lockView = objectOf<LockView>({
  place: lockPlace,
  state: choice("free", "claim", "held", "foreign", "unknown"),
  owner: orNull(anyText),
  ours: flag,
  job: orNull(anyText),
  ageSeconds: orNull(anyNumber),
  silentSeconds: orNull(anyNumber),
  detail: orNull(anyText),
  takenBy: list(anyText),
  blocks: list(anyText),
});
