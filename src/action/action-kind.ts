import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Action, Job, SshEndpoint, Target } from "../config/resolved.ts";
import type { ChangeTracker } from "../changes/change-tracker.ts";
import type { SyncScope } from "../model/changes.ts";
import type { ActionOutcome, RunCause } from "../model/run.ts";
import type { HoldClaim } from "../model/hold.ts";
import type { ItemizedChange, TransferProgress } from "../model/transfer.ts";
import type { StopGrace } from "../process/stop-process.ts";

/** One try of one action. The callbacks must not throw: they only watch. */
export interface ActionContext {
  readonly runId: string;
  readonly jobId: string;
  /** Who asked for the run. */
  readonly cause?: RunCause | undefined;
  /** Where a sync leads; of no meaning to other kinds. */
  readonly target: Target;
  /** What a sync has to carry. */
  readonly scope: SyncScope;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Stops the child and all it started. */
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  readonly log: Logger;
  /** Kernel locks that whatever writes at the destination has to hold. */
  readonly holds: readonly HoldClaim[];
  /** The child runs; its process id is also its group's. */
  onSpawned(pid: number): void;
  /** The exact words that are (or, in a dry run of a command, would be) run, secrets replaced. */
  onStarted(argv: readonly string[]): void;
  onOutput(stream: "stdout" | "stderr", line: string): void;
  onProgress(progress: TransferProgress): void;
  /**
   * What a sync has changed, in one or more parts, where the job tracks changes or rsync itemises them anyway. Paths
   * are relative to the destination; the last part may be empty. Nothing is said in a dry run.
   */
  onChanges?: ((changes: readonly ItemizedChange[]) => void) | undefined;
}

/** The way on which rsync reaches an endpoint. */
export interface RemoteShell {
  /** The argv of the remote shell, without user and host. */
  readonly shell: readonly string[];
  /** The same as people could type it, where `shell` goes through what only this director has. */
  readonly shown?: readonly string[] | undefined;
  /** Milliseconds for a question and its answer; undefined: nobody knows. */
  readonly roundTrip?: (() => Promise<number | undefined>) | undefined;
  /** To be called when it is not used any more, with what it was like. */
  readonly giveBack?: ((how: "well" | "broken" | "unclear") => void) | undefined;
}

export interface ActionDeps {
  /** Waits some seconds at most for a shared connection, and for none once the signal is aborted. */
  readonly remoteShell: (endpoint: SshEndpoint, signal: AbortSignal) => Promise<RemoteShell>;
  /** The daemon's environment, of which children see a part. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stopGrace?: StopGrace | undefined;
  /** Once it is aborted, children that are being stopped are killed at once. */
  readonly hurry?: AbortSignal | undefined;
  /** Keeps what syncs change; undefined: nobody does. */
  readonly changes?: ChangeTracker | undefined;
}

/** What a kind of action has to offer; a new kind is one file with one of these and a line in the registry. */
export interface ActionKind<A extends Action> {
  /** The exact argv. Throws an OperatorError when the action cannot be run as it is configured. */
  preview(job: Job, action: A, options: { dryRun: boolean; deps: ActionDeps }): Promise<readonly string[]>;
  run(job: Job, action: A, options: { context: ActionContext; deps: ActionDeps }): Promise<ActionOutcome>;
}
