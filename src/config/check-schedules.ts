import { OperatorError } from "../base/errors.ts";
import { type CronDialect, neverComes, readFields, readsAs } from "./cron-fields.ts";
import type { ProblemLog } from "./problem-log.ts";
import { type KeyPath, showValue } from "./problem.ts";
import { suggest } from "./spelling.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/** What is said about a schedule beside its times. */
const timingKeys = ["timezone", "jitter", "on_missed", "starting_deadline"] as const;

/**
 * Time zones exist, and every expression can be read in the dialect that is in force. A date that never
 * comes is a warning only: it must not stop the other jobs. What else may be odd about times is the
 * business of `trigger/`, which knows the plans.
 */
export function checkSchedules(root: Tree, log: ProblemLog): void {
  const judge = expressionJudge(root, log);
  const check = (block: Tree, path: KeyPath, key: string) => {
    checkTimeZone(block, path, log);
    const value = block[key];
    for (const [index, expression] of [value].flat().entries()) {
      const where = Array.isArray(value) ? [...path, key, index] : [...path, key];
      if (typeof expression !== "string" || !log.isSound(where)) continue;
      const verdict = judge(expression.trim());
      if (verdict !== undefined) log[verdict.kind](where, verdict.message);
    }
  };
  check(root, [], "cron_schedule");
  if (isRecord(root["defaults"])) check(root["defaults"], ["defaults"], "schedule");
  for (const [index, job] of recordsOf(root["jobs"])) check(job, ["jobs", index], "schedule");
  warnOfUnusedKeys(root, log);
}

/** `cron_schedule` has them from the top: what a job without a schedule of its own says about times, nobody follows. */
function warnOfUnusedKeys(root: Tree, log: ProblemLog): void {
  const shared = isRecord(root["defaults"]) ? root["defaults"] : {};
  if (shared["schedule"] !== undefined) return;
  const warn = (block: Tree, path: KeyPath, why: string) => {
    for (const key of timingKeys.filter((each) => block[each] !== undefined)) {
      log.warning([...path, key], `is not used: ${why}. Say it at the top, for cron_schedule`, { at: "key" });
    }
  };
  const jobs = recordsOf(root["jobs"]);
  const without = jobs.filter(([, job]) => job["schedule"] === undefined);
  for (const [index, job] of without) warn(job, ["jobs", index], "the job has no schedule of its own");
  if (without.length === jobs.length) warn(shared, ["defaults"], "no job has a schedule of its own");
}

interface Verdict {
  kind: "error" | "warning";
  message: string;
}

/** Many jobs share a schedule: each expression is looked at once. */
function expressionJudge(root: Tree, log: ProblemLog): (expression: string) => Verdict | undefined {
  const chosen = root["cron_dialect"];
  const dialect: CronDialect = chosen === "apscheduler" ? "apscheduler" : "linux";
  const known = new Map<string, Verdict | undefined>();

  const judge = (expression: string): Verdict | undefined => {
    try {
      const shown = showValue(expression);
      if (!neverComes(readFields(expression, dialect))) return undefined;
      return { kind: "warning", message: `${shown} never runs: there is no such day in any year` };
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      const other = dialect === "linux" && readsAs(expression, "apscheduler");
      // With a dialect that is itself a mistake nobody knows which of the two was meant.
      if (other && !log.isSound(["cron_dialect"])) return undefined;
      const hint =
        other && chosen === undefined ? "; cron_dialect: apscheduler reads it as the Python original does" : "";
      return { kind: "error", message: `${error.message}${hint}` };
    }
  };

  return (expression) => {
    if (!known.has(expression)) known.set(expression, judge(expression));
    return known.get(expression);
  };
}

function checkTimeZone(block: Tree, path: KeyPath, log: ProblemLog): void {
  const name = block["timezone"];
  if (typeof name !== "string" || !log.isSound([...path, "timezone"]) || isTimeZone(name)) return;
  const meant = suggest(name, Intl.supportedValuesOf("timeZone"));
  const hint = meant === undefined ? "Write a name such as Europe/Berlin" : `Did you mean ${meant}?`;
  log.error([...path, "timezone"], `${showValue(name)} is not a known time zone. ${hint}`);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
