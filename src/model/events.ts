import type { ActionOutcome, JobOutcome, LockPlace, OutcomeKind, RunCause, RunResult, TargetOutcome } from "./run.ts";
import type { WatchState } from "./changes.ts";
import type { Pause } from "./status.ts";
import type { TransferProgress } from "./transfer.ts";

interface OfRun {
  runId: string;
}
interface OfJob extends OfRun {
  jobId: string;
}
interface OfAction extends OfJob {
  actionId: string;
  /** Of a sync whose job has several targets: the target. Empty otherwise. */
  targetId: string;
  /** 1 for the first try. */
  attempt: number;
}

/**
 * Everything that happens in a director. Whoever does the work emits; history, metrics, logs, the
 * command line and (later) notifications listen. All times are wall-clock milliseconds.
 */
export interface DirectorEvents {
  /** A request was accepted and waits for its turn (or starts at once). */
  "run:queued": OfRun & { jobs: readonly string[]; cause: RunCause; at: number };
  /** A request found an equal one waiting: `runId` is the one that will do the work of both. */
  "run:coalesced": OfRun & { cause: RunCause; at: number };
  "run:started": OfRun & { jobs: readonly string[]; cause: RunCause; at: number };
  "run:finished": RunResult;

  "job:started": OfJob & { at: number };
  /** A wait for somebody's lock file begins (again); `owner` is the file's first line. */
  "job:blocked": OfJob & {
    place: LockPlace;
    /** `held`: the file is there. `unknown`: nobody could say, which is never taken for free. */
    state: "held" | "unknown";
    owner: string | null;
    detail: string;
    at: number;
  };
  /** Waiting is over, well or not; `waitedMs` counts from the job's first look. */
  "job:unblocked": OfJob & { waitedMs: number; outcome: "free" | "timeout" | "cancelled" | "failed"; at: number };
  /** `warn_after` has passed and the job still runs. */
  "job:slow": OfJob & { runningMs: number; at: number };
  "job:finished": OfJob & { outcome: JobOutcome; startedAt: number; at: number };

  /**
   * What became of one of several targets. Of a watched job it may come more than once in a run: as often as all
   * that had changed was carried there again.
   */
  "target:result": OfJob & { targetId: string; outcome: TargetOutcome; at: number };

  /**
   * The locks are taken and the actions begin. `unfenced`: nothing but the lock file keeps a second writer
   * away, for this reason; `none`: there is nothing to fence.
   */
  "job:fencing": OfJob & { fencing: "fenced" | "unfenced" | "none"; reason: string | null; at: number };
  /** What an earlier life of this director had left: a lock is gone now, given back or by other hands. */
  "lock:recovered": OfJob & { place: LockPlace; token: string; outcome: "released" | "absent" | "lost"; at: number };

  "lock:acquired": OfJob & { place: LockPlace; token: string; at: number };
  /** Own locks were given back because somebody else's were seen, or could not be ruled out. */
  "lock:withdrawn": OfJob & { place: LockPlace; token: string; because: string; at: number };
  /** The second look found nothing in the way: the lock counts, and the job goes on. */
  "lock:held": OfJob & { place: LockPlace; token: string; at: number };
  /** A sign of life was confirmed. */
  "lock:beat": OfJob & { place: LockPlace; token: string; at: number };
  /** The first sign of life that was not confirmed; `ageMs` is the time since the last that was. */
  "lock:suspect": OfJob & { place: LockPlace; token: string; ageMs: number; detail: string; at: number };
  /** The lock is confirmed again; it was in doubt for `ageMs`. */
  "lock:confirmed": OfJob & { place: LockPlace; token: string; ageMs: number; at: number };
  /**
   * `taken`: the file is gone or another's, the job is stopped at once. `unreachable`: nobody can say whether
   * it is still ours, and the job has to stop before others may break it.
   */
  "lock:lost": OfJob & {
    place: LockPlace;
    token: string;
    cause: "taken" | "unreachable";
    detail: string;
    ageMs: number;
    at: number;
  };
  /**
   * A stale lock of another was moved aside. `owner` says whose it was; `token` is empty for a file of
   * another program. `observedMs` is the time that this director saw it unchanged.
   */
  "lock:broken": OfJob & {
    place: LockPlace;
    token: string;
    owner: string;
    ageSeconds: number;
    observedMs: number;
    because: string;
    at: number;
  };
  /** A lock that looks stale was left alone; told when the reason changes. `token` as in `lock:broken`. */
  "lock:spared": OfJob & {
    place: LockPlace;
    token: string;
    owner: string;
    ageSeconds: number;
    /** `in-use`: a writer at its destination is still alive. The others are answers of the lock's host. */
    cause: "in-use" | "changed" | "busy" | "unsupported" | "error" | "unknown";
    detail: string;
    at: number;
  };
  /** A lock of another program is in the way; once for each such file and wait. */
  "lock:foreign": OfJob & { place: LockPlace; owner: string; ageSeconds: number; at: number };
  "lock:released": OfJob & { place: LockPlace; token: string; at: number };
  /** A lock could not be freed within its deadline: somebody has to look at it. */
  "lock:stuck": OfJob & { place: LockPlace; token: string; detail: string; at: number };

  "action:started": OfAction & { argv: readonly string[]; at: number };
  "action:output": OfAction & { stream: "stdout" | "stderr"; line: string };
  "action:progress": OfAction & { progress: TransferProgress };
  "action:finished": OfAction & { outcome: ActionOutcome; startedAt: number; at: number };
  /** The action failed in a way that may pass; it is tried again after `delayMs`. */
  "action:retrying": OfAction & { delayMs: number; message: string; at: number };

  /** Changed files of a tracked sync are in the change log. */
  "changes:recorded": OfJob & { actionId: string; files: number; at: number };
  /** Something could not be tracked; the copy itself is not hurt. */
  "changes:trouble": OfJob & { actionId: string; message: string; at: number };

  /**
   * The next time each schedule will fire, null when it never will; `last`: when it came due last, whether it
   * started something or not, null when that is not known.
   */
  "schedule:next": { jobs: readonly string[]; schedule: string; last: number | null; next: number | null };
  /** A time passed without a run: the daemon was down, suspended, or past its `starting_deadline`. */
  "schedule:missed": { jobs: readonly string[]; schedule: string; scheduledFor: number; ran: boolean };
  /** How well the sources of a job are watched has changed. */
  "watch:state": { jobId: string; state: WatchState; at: number };
  /** Changes were gathered and written into the journal; `files` null: a complete sync is due, for `reason`. */
  "watch:batch": { jobId: string; files: number | null; reason: string | null; at: number };

  /** Somebody paused a job, or changed its pause. */
  "job:paused": { jobId: string; pause: Pause; at: number };
  /** Its pause has ended; `by` null: its time was over. */
  "job:resumed": { jobId: string; by: string | null; at: number };

  /** The configuration was read again; when it was refused (`ok` false) the old one stays in use. */
  "config:reload": { ok: boolean; message: string; by: string; at: number };
  /** So many notifications wait to be delivered over a channel. */
  "notify:waiting": { channel: string; waiting: number };
  /** `retried`: it could not be delivered just now; `failed`: it is given up; `dropped`: too many waited. */
  "notify:outcome": { channel: string; outcome: NotifyOutcome; at: number };

  /** The history database stopped or started working again. */
  "history:state": { ok: boolean; detail: string };
}

export type NotifyOutcome = "delivered" | "retried" | "failed" | "dropped";

export type JobState = "idle" | "queued" | "waiting" | "running";

/** What was last known of a job before this process started; used to fill gauges after a restart. */
export interface LastJobResult {
  jobId: string;
  /** Empty: the job as a whole. */
  targetId: string;
  outcome: OutcomeKind;
  finishedAt: number;
  lastSuccessAt: number | null;
}
