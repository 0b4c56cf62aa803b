import { AbortReason, abortReasonOf, childController } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Action, Job } from "../config/resolved.ts";
import type { Hook } from "../config/resolved-notify.ts";
import type { HookMoment } from "../config/notice-words.ts";
import type { RunHook } from "../action/hook-command.ts";
import type { GuardedHold } from "../lock/hold/hold-locks.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, JobOutcome } from "../model/run.ts";
import { cancelledOutcome, withTroubles } from "./job-outcomes.ts";

export interface HookDeps {
  readonly runHook: RunHook;
  readonly events: Emitter<DirectorEvents>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One run of a job, as its hooks see it. */
export interface HookWork {
  readonly job: Job;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  /** undefined: the locks of the job are not held. */
  readonly held?: GuardedHold | undefined;
  readonly onOutcome?: ((outcome: ActionOutcome) => void) | undefined;
}

/** Whether the syncs have changed anything; `unknown` where nobody can say. */
type Changed = "yes" | "no" | "unknown";

interface Ended {
  readonly outcome: JobOutcome;
  readonly failed: ReadonlySet<string>;
  readonly changed: Changed;
}

/** After a job was stopped its last hooks have so long together; less where the stop has to be quick. */
const graceAfterAbortMs = { quick: 10_000, usual: 30_000 } as const;

const momentOf = {
  ok: "success",
  warning: "warning",
  failed: "failure",
  cancelled: "aborted",
  skipped: "skipped",
} as const satisfies Record<JobOutcome["kind"], HookMoment>;

/**
 * The work of a job between its hooks, all of it under the locks: those for its start, the work itself, those for its
 * outcome, and those for its end whatever came before. A start that fails ends the job before the work; exit code 75
 * there skips it. A later hook that fails makes a good end a warning. `run` notes each outcome of an action.
 */
export async function withHooks(
  deps: HookDeps,
  work: HookWork,
  run: (note: (action: Action, outcome: ActionOutcome) => void) => Promise<Omit<Ended, "changed">>,
): Promise<JobOutcome> {
  const { job } = work;
  if (job.hooks.length === 0) return (await run(() => undefined)).outcome;
  let changed: Changed = job.actions.some(carries) ? "no" : "unknown";
  const note = (action: Action, outcome: ActionOutcome) => {
    if (carries(action)) changed = worseOf(changed, changedBy(outcome));
  };
  const begun = await runMoment(deps, work, { moment: "start", signal: work.signal, variables: variablesOf(work) });
  if (begun !== undefined) {
    const outcome = outcomeOfStart(begun, work.signal);
    return runLast(deps, work, { outcome, failed: new Set(), changed: "no" });
  }
  try {
    const { outcome, failed } = await run(note);
    return await runLast(deps, work, { outcome, failed, changed });
  } catch (error) {
    const outcome: JobOutcome = { kind: "failed", message: `internal error: ${describeError(error)}`, actionId: null };
    await runLast(deps, work, { outcome, failed: new Set(), changed: "unknown" });
    throw error;
  }
}

/** The hooks of a job that ended before it had its locks: none of those that tidy up after a start. */
export async function runEndHooks(deps: HookDeps, work: HookWork, outcome: JobOutcome): Promise<JobOutcome> {
  return runLast(deps, work, { outcome, failed: new Set(), changed: "no" }, []);
}

/** Runs the hooks for a job that waits, once, beside the wait; `end` stops them if they still run. */
export function runBlockedHooks(deps: HookDeps, job: Job, work: Omit<HookWork, "job">): { end(): Promise<void> } {
  const controller = childController(work.signal);
  let running: Promise<unknown> | undefined;
  const unsubscribe = deps.events.on("job:blocked", ({ runId, jobId, detail }) => {
    if (runId !== work.runId || jobId !== job.id || running !== undefined) return;
    const of = { ...work, job };
    const variables = { ...variablesOf(of), RSYNCDIRECTOR_MESSAGE: asVariable(detail) };
    running = runMoment(deps, of, { moment: "blocked", signal: controller.signal, variables });
  });
  return {
    end: async () => {
      unsubscribe();
      controller.abort(new AbortReason("cancelled", "the job waits no more"));
      controller.dispose();
      await running;
    },
  };
}

async function runLast(
  deps: HookDeps,
  work: HookWork,
  { outcome, failed, changed }: Ended,
  always: readonly HookMoment[] = ["finally"],
): Promise<JobOutcome> {
  const deadline = armDeadline(work.signal, deps.clock);
  const variables = {
    ...variablesOf(work),
    RSYNCDIRECTOR_OUTCOME: outcome.kind,
    RSYNCDIRECTOR_MESSAGE: outcome.kind === "ok" ? "" : asVariable(outcome.message),
    RSYNCDIRECTOR_FAILED_TARGETS: [...failed].join(" "),
    RSYNCDIRECTOR_CHANGED: changed,
  };
  const troubles: string[] = [];
  try {
    for (const moment of [momentOf[outcome.kind], ...always]) {
      for (const hook of work.job.hooks) {
        if (hook.onlyIfChanged && changed === "no") continue;
        const trouble = await runMoment(deps, work, { moment, signal: deadline.signal, variables, only: hook });
        if (trouble !== undefined) troubles.push(`hook for ${moment}: ${messageOf(trouble)}`);
      }
    }
  } finally {
    deadline.disarm();
  }
  return troubles.length === 0 ? outcome : withTroubles(outcome, troubles);
}

/** Runs the hooks of a moment in their order. Returns what the first one said that did not end well, and stops there. */
async function runMoment(
  deps: HookDeps,
  work: HookWork,
  about: { moment: HookMoment; signal: AbortSignal; variables: Record<string, string>; only?: Hook },
): Promise<ActionOutcome | undefined> {
  const { moment, signal, variables, only } = about;
  const hooks = work.job.hooks.filter(({ on }) => on.includes(moment));
  const programs = hooks.flatMap((hook) => hook.run.map((argv) => ({ argv, hook })));
  for (const [index, { argv, hook }] of programs.entries()) {
    if (only !== undefined && only !== hook) continue;
    const hookId = `hook:${moment}${index === 0 ? "" : `:${index + 1}`}`;
    const { timeoutMs } = hook;
    const named = { ...variables, RSYNCDIRECTOR_HOOK: moment };
    const outcome = await runOne(deps, work, { hookId, argv, timeoutMs, signal, variables: named });
    if (outcome.kind !== "ok" && outcome.kind !== "warning") return outcome;
  }
  return undefined;
}

async function runOne(
  { runHook, events, clock, log }: HookDeps,
  { job, runId, dryRun, held, onOutcome }: HookWork,
  program: {
    hookId: string;
    argv: readonly string[];
    timeoutMs: number;
    signal: AbortSignal;
    variables: Record<string, string>;
  },
): Promise<ActionOutcome> {
  const of = { runId, jobId: job.id, actionId: program.hookId, targetId: "", attempt: 1 };
  const startedAt = clock.now();
  const outcome = await runHook({
    ...{ ...program, runId, jobId: job.id, dryRun },
    log: log.child({ run: runId, job: job.id, action: program.hookId }),
    onSpawned: (pid) => held?.spawned(pid),
    onStarted: (argv) => events.emit("action:started", { ...of, argv, at: clock.now() }),
    onOutput: (stream, line) => events.emit("action:output", { stream, line, ...of }),
  });
  onOutcome?.(outcome);
  events.emit("action:finished", { ...of, outcome, startedAt, at: clock.now() });
  return outcome;
}

function outcomeOfStart(begun: ActionOutcome, signal: AbortSignal): JobOutcome {
  if (signal.aborted) return cancelledOutcome(abortReasonOf(signal));
  const message = `hook for start: ${messageOf(begun)}`;
  if (begun.kind === "failed" && begun.retryable && begun.cause === "exit") {
    return { kind: "skipped", cause: "hook", message };
  }
  return { kind: "failed", message, actionId: null };
}

function messageOf(outcome: ActionOutcome): string {
  return outcome.kind === "ok" ? "" : outcome.message;
}

/** What runs after a job was stopped, or while it is stopped, is not stopped with it: it has its own time. */
function armDeadline(stop: AbortSignal, clock: Clock): { signal: AbortSignal; disarm(): void } {
  const controller = new AbortController();
  let cancelTimer = () => undefined as void;
  const onAbort = () => {
    const { kind, message } = abortReasonOf(stop);
    const isQuick = kind === "shutdown" || kind === "lock-lost";
    const graceMs = isQuick ? graceAfterAbortMs.quick : graceAfterAbortMs.usual;
    cancelTimer = clock.setTimer(graceMs, () =>
      controller.abort(new AbortReason(kind, `${message}, and its hooks took too long`)),
    );
  };
  if (stop.aborted) onAbort();
  else stop.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    disarm: () => {
      stop.removeEventListener("abort", onAbort);
      cancelTimer();
    },
  };
}

function variablesOf({ job, held }: HookWork): Record<string, string> {
  return {
    RSYNCDIRECTOR_TARGETS: job.targets.map(({ id }) => id).join(" "),
    RSYNCDIRECTOR_LOCKS: held === undefined ? "none" : held.lost.aborted ? "lost" : "held",
  };
}

/** The kernel takes no zeros in a variable, and none that is very long. */
function asVariable(message: string): string {
  return message.replaceAll("\0", " ").slice(0, 4000);
}

/** Only what copies can change something at the destination; other programs do not say. */
function carries({ kind }: Action): boolean {
  return kind === "sync" || kind === "csync2";
}

function changedBy({ report }: ActionOutcome): Changed {
  const stats = report?.stats ?? null;
  if (stats === null) return "unknown";
  const counts = [stats.filesTransferred, stats.filesCreated, stats.filesDeleted];
  if (counts.some((count) => count !== null && count > 0)) return "yes";
  return stats.filesTransferred === null ? "unknown" : "no";
}

function worseOf(one: Changed, other: Changed): Changed {
  if (one === "yes" || other === "yes") return "yes";
  return one === "unknown" || other === "unknown" ? "unknown" : "no";
}
