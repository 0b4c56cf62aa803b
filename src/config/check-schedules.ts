import { formatDuration, parseDuration } from "../base/duration.ts";
import { checkCronExpression, isTimeZone, shortestGapMs } from "./cron-expression.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { suggest } from "./spelling.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/** Every schedule can be read and comes; time zones exist; a jitter is shorter than what it spreads. */
export function checkSchedules(root: Tree, log: ProblemLog): void {
  const checker = new ScheduleChecker(log);
  const defaults = isRecord(root["defaults"]) ? root["defaults"] : {};
  checker.check(root, { path: [], key: "cron_schedule", inherited: [] });
  checker.check(defaults, { path: ["defaults"], key: "schedule", inherited: [root] });
  for (const [index, job] of recordsOf(root["jobs"])) {
    checker.check(job, { path: ["jobs", index], key: "schedule", inherited: [defaults, root] });
  }
  const nobodySchedules = [root["cron_schedule"], defaults["schedule"]].every((schedule) => schedule === undefined);
  if (nobodySchedules && recordsOf(root["jobs"]).every(([, job]) => job["schedule"] === undefined)) {
    log.warning([], "there is no cron_schedule, and no job has a schedule: jobs run on request only");
  }
}

class ScheduleChecker {
  readonly #log: ProblemLog;
  /** Many jobs share a schedule; looking for its next time is not free. */
  readonly #problems = new Map<string, string | undefined>();

  constructor(log: ProblemLog) {
    this.#log = log;
  }

  check(block: Tree, about: { path: KeyPath; key: string; inherited: readonly Tree[] }): void {
    const { path, key, inherited } = about;
    const timezone = this.#timezone(block, path, inherited);
    const jitter = this.#jitter([block, ...inherited]);
    const value = block[key];
    for (const [index, expression] of [value].flat().entries()) {
      const where = Array.isArray(value) ? [...path, key, index] : [...path, key];
      if (typeof expression !== "string" || !this.#log.isSound(where)) continue;
      const problem = this.#problemOf(expression, timezone);
      if (problem !== undefined) this.#log.error(where, `${JSON.stringify(expression)} ${problem}`);
      else this.#checkJitter(where, expression, { timezone, jitter });
    }
  }

  #problemOf(expression: string, timezone: string | undefined): string | undefined {
    const key = `${timezone ?? ""}\0${expression}`;
    if (!this.#problems.has(key)) {
      const result = checkCronExpression(expression, timezone);
      this.#problems.set(key, result.ok ? undefined : result.problem);
    }
    return this.#problems.get(key);
  }

  #timezone(block: Tree, path: KeyPath, inherited: readonly Tree[]): string | undefined {
    const own = block["timezone"];
    if (typeof own !== "string") {
      const other = inherited.map((tree) => tree["timezone"]).find((name) => typeof name === "string");
      return other !== undefined && isTimeZone(other) ? other : undefined;
    }
    if (isTimeZone(own)) return own;
    const meant = suggest(own, Intl.supportedValuesOf("timeZone"));
    const hint = meant === undefined ? "Write a name such as Europe/Berlin" : `Did you mean ${meant}?`;
    this.#log.error([...path, "timezone"], `${JSON.stringify(own)} is not a known time zone. ${hint}`);
    return undefined;
  }

  #jitter(owners: readonly Tree[]): number {
    const value = owners.map((tree) => tree["jitter"]).find((jitter) => jitter !== undefined);
    return typeof value === "string" || typeof value === "number" ? (parseDuration(value) ?? 0) : 0;
  }

  #checkJitter(where: KeyPath, expression: string, about: { timezone: string | undefined; jitter: number }): void {
    const { timezone, jitter } = about;
    const gap = jitter === 0 ? undefined : shortestGapMs(expression, timezone);
    if (gap === undefined || jitter < gap) return;
    this.#log.warning(
      where,
      `comes every ${formatDuration(gap)}, but jitter may put it off by ${formatDuration(jitter)}: times will run together`,
    );
  }
}
