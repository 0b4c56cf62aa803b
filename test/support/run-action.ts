import { createActionRegistry, type RunAction } from "../../src/action/action.ts";
import type { ActionContext, ActionDeps } from "../../src/action/action-kind.ts";
import { AbortReason } from "../../src/base/abort.ts";
import type { AbortKind } from "../../src/base/abort.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import type { Action, SyncAction } from "../../src/config/resolved.ts";
import type { HoldClaim } from "../../src/model/hold.ts";
import type { ActionOutcome } from "../../src/model/run.ts";
import type { SyncScope } from "../../src/model/changes.ts";
import type { ItemizedChange, TransferProgress } from "../../src/model/transfer.ts";
import { sshCommand } from "../../src/ssh/ssh-arguments.ts";
import { buildJob, type JobDraft } from "./build-job.ts";

/** A running action and what it has said so far. */
export interface StartedAction {
  readonly outcome: Promise<ActionOutcome>;
  readonly argv: string[];
  readonly lines: string[];
  readonly progress: TransferProgress[];
  readonly changes: ItemizedChange[];
  readonly stop: (kind?: AbortKind) => void;
}

export interface StartOptions {
  job?: JobDraft;
  deps?: Partial<ActionDeps>;
  dryRun?: boolean;
  holds?: readonly HoldClaim[];
  scope?: SyncScope;
  log?: Logger;
  /** What the job runner would say about this try. */
  context?: Partial<ActionContext>;
  /** What remembers other actions; by itself an action has nobody before it. */
  registry?: RunAction;
}

/** Actions with the real clock and real programs. */
export function realActions(deps: Partial<ActionDeps> = {}): RunAction {
  return createActionRegistry({
    remoteShell: async (endpoint) => ({ shell: sshCommand(endpoint) }),
    env: process.env,
    clock: systemClock,
    ...deps,
  });
}

/** Runs one action as the job runner would, with the real clock and real programs. */
export function startAction(action: Action, options: StartOptions = {}): StartedAction {
  const { job = {}, deps = {}, dryRun = false, holds = [], log = silentLogger, context = {} } = options;
  const { scope = { kind: "full", reason: "" } } = options;
  const controller = new AbortController();
  const run = options.registry ?? realActions(deps);
  const argv: string[] = [];
  const lines: string[] = [];
  const progress: TransferProgress[] = [];
  const changes: ItemizedChange[] = [];
  const built = buildJob({ actions: [action], ...job });
  const outcome = run(built, action, {
    runId: "run-1",
    jobId: "job",
    target: built.targets[0]!,
    scope,
    attempt: 1,
    signal: controller.signal,
    dryRun,
    log,
    holds,
    onSpawned: () => undefined,
    onStarted: (words) => argv.push(...words),
    onOutput: (stream, line) => lines.push(`${stream}: ${line}`),
    onProgress: (update) => progress.push(update),
    onChanges: (some) => changes.push(...some),
    ...context,
  });
  return {
    outcome,
    argv,
    lines,
    progress,
    changes,
    stop: (kind = "shutdown") => controller.abort(new AbortReason(kind, `${kind} came`)),
  };
}

/** A sync with `--archive`; a test names only what it is about. */
export function buildSync(overrides: Partial<SyncAction>): SyncAction {
  return {
    kind: "sync",
    id: "sync",
    sources: [],
    dest: "",
    opts: [],
    rsync: { archive: true },
    extensions: [],
    parallel: 1,
    ...overrides,
  };
}
