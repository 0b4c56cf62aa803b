import { formatDuration } from "../base/duration.ts";
import type { Emitter } from "../base/emitter.ts";
import type { LogFields, Logger } from "../base/logger.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, JobOutcome, LockPlace } from "../model/run.ts";

/** Of one action's output so much goes to the log; the history keeps its last 1 MiB in any case. */
const outputLimit = { lines: 500, characters: 128 * 1024, lineCharacters: 4096 };

interface LoggedOutput {
  lines: number;
  characters: number;
  left: number;
}

/**
 * Turns events into log lines: static messages, what varies in fields. The standard output of syncs
 * (one line per file) is for `debug`; that of commands, and what anything says on standard error, for
 * `info`, a bounded number of lines per action. Returns what ends it.
 */
export function logEvents(options: {
  events: Emitter<DirectorEvents>;
  log: Logger;
  isSync: (jobId: string, actionId: string) => boolean;
}): () => void {
  const { events, log, isSync } = options;
  const outputs = new Map<string, LoggedOutput>();
  let newest: { readonly of: DirectorEvents["action:output"]; readonly output: LoggedOutput } | undefined;

  /** An action writes many lines one after the other: a key made for each would cost as much as all else. */
  function outputOf(event: DirectorEvents["action:output"]): LoggedOutput {
    if (newest !== undefined && isSameTry(newest.of, event)) return newest.output;
    const key = keyOf(event);
    const output = outputs.get(key) ?? { lines: 0, characters: 0, left: 0 };
    outputs.set(key, output);
    newest = { of: event, output };
    return output;
  }

  function logOutput(event: DirectorEvents["action:output"]): void {
    const { stream } = event;
    const line = event.line.slice(0, outputLimit.lineCharacters);
    if (stream === "stdout" && isSync(event.jobId, event.actionId)) {
      log.debug({ ...ofAction(event), stream, line }, "action output");
      return;
    }
    const output = outputOf(event);
    if (output.lines >= outputLimit.lines || output.characters >= outputLimit.characters) {
      output.left += 1;
      if (output.left === 1) log.warn(ofAction(event), "action writes too much, the rest is not logged");
      return;
    }
    output.lines += 1;
    output.characters += line.length;
    log.info({ ...ofAction(event), stream, line }, "action output");
  }

  function logActionEnd(event: DirectorEvents["action:finished"]): void {
    const linesLeftOut = outputs.get(keyOf(event))?.left;
    outputs.delete(keyOf(event));
    newest = undefined;
    const { outcome, startedAt, at } = event;
    const level = levelOf(outcome.kind);
    const fields = { ...ofAction(event), ...actionFields(outcome), duration: formatDuration(at - startedAt) };
    log[level](linesLeftOut ? { ...fields, linesLeftOut } : fields, "action finished");
  }

  const unsubscribe = [
    events.on("changes:recorded", (event) =>
      log.info({ ...ofJob(event), action: event.actionId, files: event.files }, "changes recorded"),
    ),
    events.on("changes:trouble", (event) =>
      log.error({ ...ofJob(event), action: event.actionId, error: event.message }, "changes could not be tracked"),
    ),
    events.on("run:queued", ({ runId, jobs, cause }) => log.info({ run: runId, jobs, cause }, "run queued")),
    events.on("run:coalesced", ({ runId, cause }) => log.info({ run: runId, cause }, "run requested again")),
    events.on("run:started", ({ runId, jobs, cause }) => log.info({ run: runId, jobs, cause }, "run started")),
    events.on("run:finished", ({ runId, outcome, startedAt, finishedAt }) => {
      const fields = { run: runId, outcome, duration: formatDuration(finishedAt - startedAt) };
      log[levelOf(outcome)](fields, "run finished");
    }),
    events.on("watch:batch", ({ jobId, files, reason }) => {
      if (reason === null) log.debug({ job: jobId, files }, "changes were seen");
      else log.info({ job: jobId, reason }, "a complete sync is due");
    }),
    events.on("job:paused", ({ jobId, pause }) => log.warn({ job: jobId, ...pause }, "job is paused")),
    events.on("job:resumed", ({ jobId, by }) => log.info({ job: jobId, by }, "job is resumed")),
    events.on("job:started", (event) => log.info(ofJob(event), "job started")),
    events.on("job:blocked", (event) => {
      const { place, state, owner, detail } = event;
      const fields = { ...ofJob(event), ...ofPlace(place), state, owner, detail };
      if (state === "held") log.info(fields, "job waits for a lock");
      else log.warn(fields, "job waits: the state of a lock is unknown");
    }),
    events.on("job:unblocked", (event) => {
      const fields = { ...ofJob(event), outcome: event.outcome, waited: formatDuration(event.waitedMs) };
      log[event.outcome === "free" ? "info" : "warn"](fields, "job stopped waiting");
    }),
    events.on("job:slow", (event) =>
      log.warn({ ...ofJob(event), running: formatDuration(event.runningMs) }, "job takes longer than warn_after"),
    ),
    events.on("target:result", (event) => {
      const { targetId, outcome } = event;
      const detail = outcome.kind === "ok" ? {} : { detail: outcome.message };
      log[levelOf(outcome.kind)](
        { ...ofJob(event), target: targetId, outcome: outcome.kind, ...detail },
        "target finished",
      );
    }),
    events.on("job:finished", (event) => {
      const { outcome, startedAt, at } = event;
      const fields = { ...ofJob(event), ...jobFields(outcome), duration: formatDuration(at - startedAt) };
      log[levelOf(outcome.kind)](fields, "job finished");
    }),
    events.on("job:fencing", (event) => {
      if (event.fencing !== "unfenced") return;
      log.warn(
        { ...ofJob(event), reason: event.reason },
        "job runs unfenced: only its lock files keep other writers away",
      );
    }),
    events.on("lock:recovered", (event) =>
      log.warn({ ...ofLock(event), outcome: event.outcome }, "lock of an earlier life is gone"),
    ),
    events.on("lock:acquired", (event) => log.info(ofLock(event), "lock acquired")),
    events.on("lock:withdrawn", (event) => log.info({ ...ofLock(event), because: event.because }, "lock withdrawn")),
    events.on("lock:held", (event) => log.debug(ofLock(event), "lock held")),
    events.on("lock:suspect", (event) => {
      const fields = { ...ofLock(event), age: formatDuration(event.ageMs), detail: event.detail };
      log.warn(fields, "lock in doubt: a sign of life was not confirmed");
    }),
    events.on("lock:confirmed", (event) =>
      log.info({ ...ofLock(event), age: formatDuration(event.ageMs) }, "lock confirmed again"),
    ),
    events.on("lock:lost", (event) => {
      const { cause, detail, ageMs } = event;
      const fields = { ...ofLock(event), cause, age: formatDuration(ageMs), detail };
      log.error(fields, "lock lost: the job is stopped");
    }),
    events.on("lock:broken", (event) => {
      const { owner, ageSeconds, observedMs, because } = event;
      const facts = { owner, age: formatAge(ageSeconds), observed: formatDuration(observedMs), because };
      log.warn({ ...ofLock(event), ...facts }, "stale lock of another broken");
    }),
    events.on("lock:spared", (event) => {
      const { owner, ageSeconds, cause, detail } = event;
      const facts = { owner, age: formatAge(ageSeconds), cause, detail };
      log.info({ ...ofLock(event), ...facts }, "a lock looks stale and is not broken");
    }),
    events.on("lock:foreign", (event) => {
      const fields = { ...ofJob(event), ...ofPlace(event.place), owner: event.owner.slice(0, 80) };
      log.warn({ ...fields, age: formatAge(event.ageSeconds) }, "a lock of another program is in the way");
    }),
    events.on("lock:released", (event) => log.info(ofLock(event), "lock released")),
    events.on("lock:stuck", (event) =>
      log.error(
        { ...ofLock(event), detail: event.detail },
        "lock was not given back; when nobody writes any more and it does not go by itself, remove the file if it carries this token",
      ),
    ),
    events.on("action:started", (event) => log.info({ ...ofAction(event), argv: event.argv }, "action started")),
    events.on("action:output", logOutput),
    events.on("action:finished", logActionEnd),
    events.on("action:retrying", (event) => {
      const fields = { ...ofAction(event), delay: formatDuration(event.delayMs), detail: event.message };
      log.warn(fields, "action is tried again");
    }),
    events.on("schedule:next", ({ jobs, schedule, next }) => {
      const at = next === null ? null : new Date(next).toISOString();
      log.info({ jobs, schedule, next: at }, next === null ? "schedule never fires" : "schedule fires next");
    }),
  ];
  return () => unsubscribe.forEach((end) => end());
}

function levelOf(outcome: JobOutcome["kind"]): "info" | "warn" | "error" {
  if (outcome === "ok") return "info";
  return outcome === "failed" ? "error" : "warn";
}

function keyOf({
  runId,
  jobId,
  actionId,
  targetId,
  attempt,
}: DirectorEvents["action:output"] | DirectorEvents["action:finished"]) {
  return JSON.stringify([runId, jobId, actionId, targetId, attempt]);
}

function isSameTry(one: DirectorEvents["action:output"], other: DirectorEvents["action:output"]): boolean {
  return (
    one.runId === other.runId &&
    one.jobId === other.jobId &&
    one.actionId === other.actionId &&
    one.targetId === other.targetId &&
    one.attempt === other.attempt
  );
}

function ofJob({ runId, jobId }: { runId: string; jobId: string }): LogFields {
  return { run: runId, job: jobId };
}

function ofAction(event: {
  runId: string;
  jobId: string;
  actionId: string;
  targetId: string;
  attempt: number;
}): LogFields {
  const target = event.targetId === "" ? {} : { target: event.targetId };
  const fields = { ...ofJob(event), action: event.actionId, ...target };
  return event.attempt === 1 ? fields : { ...fields, attempt: event.attempt };
}

function ofPlace({ host, path }: LockPlace): LogFields {
  return host === null ? { path } : { host, path };
}

/** The clock of a lock's host may be wrong. */
function formatAge(seconds: number): string {
  return seconds >= 0 ? formatDuration(seconds * 1000) : "unknown";
}

/** A lock's token is no secret, but a field called `token` would be taken for one: here it is `lock`. */
function ofLock(event: { runId: string; jobId: string; place: LockPlace; token: string }): LogFields {
  return { ...ofJob(event), ...ofPlace(event.place), lock: event.token };
}

function jobFields(outcome: JobOutcome): LogFields {
  const message = outcome.kind === "ok" ? {} : { detail: outcome.message };
  const reason = outcome.kind === "skipped" ? { reason: outcome.cause } : {};
  return { outcome: outcome.kind, ...message, ...reason };
}

function actionFields(outcome: ActionOutcome): LogFields {
  const { report } = outcome;
  const { exitCode, signal, stats } = report ?? { exitCode: null, signal: null, stats: null };
  const figures = { files: stats?.filesTransferred, bytes: stats?.transferredBytes, deleted: stats?.filesDeleted };
  return {
    outcome: outcome.kind,
    ...(outcome.kind === "ok" ? {} : { detail: outcome.message }),
    ...(report === null ? {} : { exitCode }),
    ...(signal === null ? {} : { signal }),
    ...Object.fromEntries(Object.entries(figures).filter(([, value]) => typeof value === "number")),
  };
}
