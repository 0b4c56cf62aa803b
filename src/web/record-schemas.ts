import type { RecordedChange } from "../model/tracked-change.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { LockEventRecord } from "../store/lock-events.ts";
import type { ActionRecord, JobRecord, RunRecord, RunSummary } from "../store/run-history.ts";
import { anyNumber, anyText, choice, count, flag, list, objectOf, orNull, time } from "./json-schema.ts";
import { lockPlace, outcome, runCause } from "./status-schemas.ts";

/** The types of `src/store/run-history.ts` and of recorded changes, as the API describes them. */
const recordedOutcome = choice("ok", "warning", "skipped", "failed", "cancelled", "running");

const summary = {
  runId: anyText,
  cause: runCause,
  startedAt: time,
  finishedAt: orNull(time),
  outcome: recordedOutcome,
  message: orNull(anyText),
  requestedJobs: list(anyText),
  transferredBytes: orNull(anyNumber),
  transferredFiles: orNull(count),
};

export const runSummary = objectOf<RunSummary>({
  ...summary,
  jobs: list(objectOf<RunSummary["jobs"][number]>({ jobId: anyText, outcome: recordedOutcome })),
});

const stats = objectOf<TransferStats>({
  filesTotal: orNull(count),
  filesCreated: orNull(count),
  filesDeleted: orNull(count),
  filesTransferred: orNull(count),
  totalBytes: orNull(anyNumber),
  transferredBytes: orNull(anyNumber),
  literalBytes: orNull(anyNumber),
  matchedBytes: orNull(anyNumber),
  sentBytes: orNull(anyNumber),
  receivedBytes: orNull(anyNumber),
});

const actionRecord = objectOf<ActionRecord>({
  actionId: anyText,
  targetId: anyText,
  attempt: count,
  startedAt: time,
  finishedAt: time,
  outcome,
  reason: orNull(anyText),
  message: orNull(anyText),
  argv: list(anyText),
  exitCode: orNull({ type: "integer" }),
  signal: orNull(anyText),
  stats,
  hasOutput: flag,
});

const jobRecord = objectOf<JobRecord>({
  jobId: anyText,
  startedAt: time,
  finishedAt: orNull(time),
  outcome: recordedOutcome,
  reason: orNull(anyText),
  message: orNull(anyText),
  failedAction: orNull(anyText),
  waitedMs: orNull(anyNumber),
  actions: list(actionRecord),
});

const lockEvent = objectOf<LockEventRecord>({
  at: time,
  kind: choice(
    ...["waiting", "waited", "acquired", "held", "withdrawn", "suspect", "confirmed", "lost", "broken", "spared"],
    ...["foreign", "stuck", "recovered", "released", "forced"],
  ),
  runId: orNull(anyText),
  jobId: orNull(anyText),
  place: orNull(lockPlace),
  token: orNull(anyText),
  owner: orNull(anyText),
  ageMs: orNull(anyNumber),
  detail: orNull(anyText),
});

export const runRecord = objectOf<RunRecord>({ ...summary, jobs: list(jobRecord), lockEvents: list(lockEvent) });

const contentKind = choice("text", "binary", "large");

export const recordedChange = objectOf<RecordedChange>({
  id: count,
  jobId: anyText,
  actionId: anyText,
  runId: anyText,
  at: time,
  trigger: anyText,
  path: anyText,
  file: anyText,
  change: choice("created", "modified", "deleted"),
  before: orNull(
    objectOf<NonNullable<RecordedChange["before"]>>({
      kind: contentKind,
      size: count,
      sha256: orNull(anyText),
      mode: count,
      uid: count,
      gid: count,
    }),
  ),
  after: orNull(
    objectOf<NonNullable<RecordedChange["after"]>>({ kind: contentKind, size: count, sha256: orNull(anyText) }),
  ),
  addedLines: orNull(count),
  removedLines: orNull(count),
  copy: orNull(anyText),
});
