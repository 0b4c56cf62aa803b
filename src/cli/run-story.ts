import type { LockPlace } from "../model/run.ts";
import type { RecordedChange } from "../model/tracked-change.ts";
import type { ItemizedChange } from "../model/transfer.ts";
import { parseItemizedChange } from "../rsync/itemized-changes.ts";
import type { LockEventRecord } from "../store/lock-events.ts";
import type { ActionRecord, JobRecord, RunRecord } from "../store/run-history.ts";
import { type Outputs, outputKey } from "./history-access.ts";

/** One lock that a job waited for. */
export interface LockWait {
  readonly place: LockPlace | null;
  /** Who held it, or why nobody could say. */
  readonly because: string | null;
  readonly at: number;
  /** null: the wait had not ended when this was written. */
  readonly waitedMs: number | null;
}

export interface ChangedFile {
  readonly change: "created" | "modified" | "deleted" | "attributes";
  readonly path: string;
}

/** `output`: rsync itemised them; `ledger`: they were tracked, so that only those with a content are there. */
export interface ChangedFiles {
  readonly source: "output" | "ledger";
  readonly files: readonly ChangedFile[];
}

export interface ToldAction extends ActionRecord {
  /** How long after the try before this one began; null: it is the first. */
  readonly retriedAfterMs: number | null;
  /** null: nobody wrote down what changed. */
  readonly changes: ChangedFiles | null;
}

export interface ToldJob extends Omit<JobRecord, "actions"> {
  readonly waits: readonly LockWait[];
  readonly actions: readonly ToldAction[];
}

/** A run with what follows from its records: what it waited for, what it tried again, what it changed. */
export interface RunStory extends Omit<RunRecord, "jobs"> {
  readonly jobs: readonly ToldJob[];
}

export function tellRun(run: RunRecord, known: { outputs: Outputs; tracked: readonly RecordedChange[] }): RunStory {
  return {
    ...run,
    jobs: run.jobs.map((job) => ({
      ...job,
      waits: findWaits(run.lockEvents.filter(({ jobId }) => jobId === job.jobId)),
      actions: job.actions.map((action) => ({
        ...action,
        retriedAfterMs: retriedAfter(action, job.actions),
        changes: changesOf(job, action, known),
      })),
    })),
  };
}

/** Each ends where the next begins, or where the job waits no more. */
function findWaits(events: readonly LockEventRecord[]): LockWait[] {
  const steps = events.filter(({ kind }) => kind === "waiting" || kind === "waited");
  return steps.flatMap(({ kind, place, owner, detail, at }, index) => {
    if (kind !== "waiting") return [];
    const end = steps[index + 1]?.at;
    return [{ place, because: owner ?? detail, at, waitedMs: end === undefined ? null : end - at }];
  });
}

function retriedAfter(action: ActionRecord, all: readonly ActionRecord[]): number | null {
  const before = all.find(
    ({ actionId, targetId, attempt }) =>
      actionId === action.actionId && targetId === action.targetId && attempt === action.attempt - 1,
  );
  return before === undefined ? null : Math.max(0, action.startedAt - before.finishedAt);
}

function changesOf(
  { jobId, actions }: JobRecord,
  action: ActionRecord,
  { outputs, tracked }: { outputs: Outputs; tracked: readonly RecordedChange[] },
): ChangedFiles | null {
  const files = readItemized(outputs.get(outputKey(jobId, action)) ?? "");
  if (files.length > 0) return { source: "output", files };
  const its = tracked.filter((change) => change.jobId === jobId && change.actionId === action.actionId);
  // The ledger knows of no tries and targets: what it says belongs to the last of them.
  const isLast = actions.findLast(({ actionId }) => actionId === action.actionId) === action;
  if (its.length === 0 || !isLast) return null;
  return { source: "ledger", files: its.map(({ change, path }) => ({ change, path })).toReversed() };
}

function readItemized(output: string): ChangedFile[] {
  return output.split("\n").flatMap((line) => {
    const change = parseItemizedChange(line);
    const kind = change === undefined ? undefined : changeOf(change);
    return change === undefined || kind === undefined ? [] : [{ change: kind, path: change.path }];
  });
}

function changeOf({ operation, isNew, differs }: ItemizedChange): ChangedFile["change"] | undefined {
  if (operation === "deleted") return "deleted";
  if (isNew) return "created";
  if (operation === "sent" || operation === "received") return "modified";
  // With -ii rsync names unchanged paths too.
  return differs.length > 0 ? "attributes" : undefined;
}
