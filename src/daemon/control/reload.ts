import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import { describeError, OperatorError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { inspectConfig } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Config } from "../../config/resolved.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { InstanceStatus } from "../../model/status.ts";
import type { ReloadAnswer } from "../../web/director-control.ts";
import { findRunningUnderOldNames } from "./renamed-jobs.ts";
import { keysThatNeedRestart } from "./restart-keys.ts";

/** A configuration that was looked at and can be taken into use. */
export interface PreparedConfig {
  /** Puts it into use, all of it in one step; cannot fail. */
  use(): void;
  /** It will not be used. */
  discard(): void;
}

export interface Reloader {
  reload(by: string): Promise<ReloadAnswer>;
  last(): InstanceStatus["lastReload"];
  /** When the configuration in use was read. */
  loadedAt(): number;
}

/**
 * Reads the configuration again: looks at all of it first, and either takes all of it into use or leaves everything
 * as it was. Requests come one after the other.
 */
export function createReloader(deps: {
  current: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  /** Opens and computes what the configuration needs. Throws an `OperatorError` where that cannot be had. */
  prepare: (config: Config) => Promise<PreparedConfig>;
  /** Whether the job is in a run just now. */
  isActive: (jobId: string) => boolean;
  /** Why nothing is read just now, at the start and at the end of a director; undefined: it is. */
  whyNotNow: () => string | undefined;
  events: Emitter<DirectorEvents>;
  clock: Clock;
  log: Logger;
}): Reloader {
  const { clock, events, log } = deps;
  let loadedAt = clock.now();
  let last: InstanceStatus["lastReload"] = null;
  let turn: Promise<unknown> = Promise.resolve();

  const refusalNow = (): ReloadAnswer | undefined => {
    const why = deps.whyNotNow();
    return why === undefined ? undefined : refused(why, []);
  };
  const refuseRenamed = (before: Config, after: Config): ReloadAnswer | undefined => {
    const renamed = findRunningUnderOldNames(before, after, deps.isActive);
    if (renamed.length === 0) return undefined;
    const problems = renamed.map(
      ({ old, now }) => `${now}: ${old} is at work on its destination: reload when that has ended`,
    );
    return refused(`${renamed.map(({ old }) => old).join(", ")} still runs under the old name`, problems);
  };

  const attempt = async (): Promise<ReloadAnswer> => {
    const before = deps.current();
    const found = await inspectConfig(before.file, { env: deps.env });
    const { config: after, problems } = found;
    if (after === undefined) return refused("the configuration is wrong", problems.map(formatProblem));
    const keys = keysThatNeedRestart(before, after);
    if (keys.length > 0) {
      const restart = keys.map((key) => `${key}: cannot be changed while the director runs; restart it`);
      return refused(`${keys.join(", ")} can only be changed by a restart`, restart);
    }
    const prepared = await deps.prepare(after);
    // What has begun meanwhile counts: a stop takes apart what this would build on, a job may be in its way.
    const obstacle = refusalNow() ?? refuseRenamed(before, after);
    if (obstacle !== undefined) {
      prepared.discard();
      return obstacle;
    }
    prepared.use();
    loadedAt = clock.now();
    return { ok: true, message: describeDifference(before, after), warnings: found.warnings.map(formatProblem) };
  };
  const reload = async (by: string): Promise<ReloadAnswer> => {
    const answer = refusalNow() ?? (await attempt().catch(answerOf));
    tell(answer, by);
    return answer;
  };
  /** What a person can put right is said; anything else is a bug, and shows its stack. */
  const answerOf = (error: unknown): ReloadAnswer => {
    if (error instanceof OperatorError) return refused("the configuration cannot be used", error.message.split("\n"));
    log.error(
      { error: describeError(error), stack: error instanceof Error ? error.stack : undefined },
      "reload crashed",
    );
    return refused("internal error, see the log", []);
  };
  const tell = (answer: ReloadAnswer, by: string) => {
    const { ok, message } = answer;
    const at = clock.now();
    last = { at, ok, message };
    if (answer.ok) {
      for (const warning of answer.warnings) log.warn({ warning }, "configuration warning");
      log.info({ by, detail: message }, "configuration was read again");
    } else {
      for (const problem of answer.problems) log.error({ problem }, "configuration problem");
      log.error({ by, detail: message }, "configuration was refused; the one in use stays");
    }
    events.emit("config:reload", { ok, message, by, at });
  };
  return {
    reload: (by) => {
      const mine = turn.then(() => reload(by));
      turn = mine;
      return mine;
    },
    last: () => last,
    loadedAt: () => loadedAt,
  };
}

function refused(message: string, problems: readonly string[]): ReloadAnswer {
  return { ok: false, message: `${message}; the configuration in use stays`, problems };
}

function describeDifference(before: Config, after: Config): string {
  const old = new Map(before.jobs.map((job) => [job.id, job]));
  const ids = new Set(after.jobs.map(({ id }) => id));
  const lists = [
    ["new", after.jobs.filter(({ id }) => !old.has(id))],
    ["changed", after.jobs.filter((job) => old.has(job.id) && !isDeepStrictEqual(old.get(job.id), job))],
    ["gone", before.jobs.filter(({ id }) => !ids.has(id))],
  ] as const;
  const parts = lists.flatMap(([word, jobs]) =>
    jobs.length === 0 ? [] : `${word}: ${jobs.map(({ id }) => id).join(", ")}`,
  );
  const jobs = `${after.jobs.length} ${after.jobs.length === 1 ? "job" : "jobs"}`;
  if (parts.length > 0) return `${jobs} (${parts.join("; ")})`;
  return isDeepStrictEqual(before, after) ? `${jobs}, nothing has changed` : `${jobs}, none of them changed`;
}
