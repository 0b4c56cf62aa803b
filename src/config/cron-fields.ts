import { Cron, CronPattern } from "croner";
import { OperatorError } from "../base/errors.ts";
import { showValue } from "./problem.ts";
import type { Scheduling } from "./resolved.ts";

/** A five-field cron expression, read according to its dialect. */
export interface CronFields {
  /** As it was written. */
  readonly expression: string;
  /** Five fields as croner takes them: weekdays count from 0 = Sunday. */
  readonly pattern: string;
  /** Day of month and day of week must both match; otherwise one of them is enough. */
  readonly bothDays: boolean;
  /** Neither minute nor hour begins with `*`: such a time is moved or not repeated when clocks change. */
  readonly fixed: boolean;
  /** The fields as written (those behind a nickname): minute, hour, day of month, month, day of week. */
  readonly written: readonly [string, string, string, string, string];
  readonly nickname: boolean;
}

export type CronDialect = Scheduling["cronDialect"];
type FiveFields = CronFields["written"];

const nicknames: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * SUN"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

const fieldRules = [
  { name: "minute", last: 59, allowed: "0-59" },
  { name: "hour", last: 23, allowed: "0-23" },
  { name: "day of month", last: 31, allowed: "1-31, L, LW or 15W" },
  { name: "month", last: 12, allowed: "1-12 or JAN-DEC" },
  { name: "day of week", last: 6, allowed: "0-7 (0 and 7 are Sunday), SUN-SAT, FRI#2 or FRIL" },
] as const;

const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** Where looks at a pattern alone begin (a Sunday): what they find must not depend on today. */
const reference = new Date("2023-12-31T00:00:00Z");

const mode = "5-part";

/** croner walks local wall-clock labels here, so it is told a zone that has no clock changes. */
export function openPattern(fields: CronFields): Cron {
  return new Cron(fields.pattern, { mode, utcOffset: 0, domAndDow: fields.bothDays, paused: true });
}

/**
 * Reads an expression. The star rule is Debian cron's (crontab(5), entry.c): a day field that begins
 * with `*`, one with a step too, makes both day fields count.
 * Throws an `OperatorError` that names the field at fault.
 */
export function readFields(expression: string, dialect: CronDialect): CronFields {
  const trimmed = expression.trim();
  const nickname = nicknames.get(trimmed.toLowerCase());
  const written = splitFields(expression, nickname ?? trimmed);
  const [minute, hour, dayOfMonth, , dayOfWeek] = written;
  const translate = dialect === "apscheduler" && nickname === undefined;
  const translated = translate ? fromApscheduler(expression, written) : written;
  const fields = {
    expression,
    pattern: translated.join(" "),
    bothDays: dialect === "apscheduler" || startsWithStar(dayOfMonth) || startsWithStar(dayOfWeek),
    fixed: !startsWithStar(minute) && !startsWithStar(hour),
    written,
    nickname: nickname !== undefined,
  };
  try {
    checkPattern(fields.pattern);
  } catch (error) {
    throw blameField(expression, written, translated, error);
  }
  return fields;
}

/** Throws for what croner cannot read. Half of what it costs to open one. */
function checkPattern(pattern: string): void {
  void new CronPattern(pattern, undefined, { mode });
}

/** Whether there is no such day in any year, as with 31 February. */
export function neverComes(fields: CronFields): boolean {
  const [, , dayOfMonth, month, dayOfWeek] = fields.written;
  // Every weekday comes in every month: only a day of the month can be missing.
  if (isStar(dayOfMonth)) return false;
  // To look for one takes a while; these come in every month, or in some.
  const isCommon = /^(?:[1-9]|1\d|2[0-8])$/.test(dayOfMonth) || isStar(month);
  if (isStar(dayOfWeek) && isCommon) return false;
  return openPattern(fields).nextRun(reference) === null;
}

/**
 * Whether the weekdays, read as the Python original counts them, are other days than those that `fields`
 * has. False for what the original refuses: such an expression cannot have come from it.
 */
export function originalMeansOtherWeekdays(fields: CronFields): boolean {
  const [, , , , dayOfWeek] = fields.written;
  if (fields.nickname || !/\d/.test(dayOfWeek)) return false;
  const weekOf = (dialect: CronDialect) =>
    openPattern(readFields(`0 0 * * ${dayOfWeek}`, dialect))
      .nextRuns(7, reference)
      .map(Number)
      .join();
  return readsAs(`0 0 * * ${dayOfWeek}`, "apscheduler") && weekOf("apscheduler") !== weekOf("linux");
}

/** Whether an expression can be read in that dialect. */
export function readsAs(expression: string, dialect: CronDialect): boolean {
  try {
    readFields(expression, dialect);
    return true;
  } catch (error) {
    if (error instanceof OperatorError) return false;
    throw error;
  }
}

/** The field is given, but names no certain days or times. */
export function isStar(field: string): boolean {
  return field === "*" || field === "?";
}

export function startsWithStar(field: string): boolean {
  return field.startsWith("*") || field.startsWith("?");
}

function splitFields(expression: string, text: string): FiveFields {
  if (text.startsWith("@")) {
    throw invalid(expression, `the nickname is not one of ${[...nicknames.keys()].join(", ")}`);
  }
  if (/^(CRON_)?TZ=/i.test(text)) throw invalid(expression, "give the time zone with the key `timezone`");
  const fields = text.split(/\s+/);
  if (fields.length === 6 || fields.length === 7) {
    throw invalid(expression, `it has ${fields.length} fields; five are wanted, seconds and years are not supported`);
  }
  if (fields.length !== 5) {
    throw invalid(expression, "it wants five fields: minute, hour, day of month, month, day of week");
  }
  return fields as unknown as FiveFields;
}

/** Tries every field alone, because croner's own messages count days and months from 0. */
function blameField(expression: string, written: FiveFields, translated: readonly string[], error: unknown) {
  for (const [index, rule] of fieldRules.entries()) {
    const pattern = fieldRules.map((_, other) => (other === index ? translated[index] : "*")).join(" ");
    try {
      checkPattern(pattern);
    } catch {
      const steps = "also lists, ranges, */n and a-b/n";
      return invalid(
        expression,
        `the ${rule.name} ${showValue(written[index])} is not valid (${rule.allowed}; ${steps})`,
      );
    }
  }
  return invalid(expression, error instanceof Error ? error.message : String(error));
}

function invalid(expression: string, why: string): OperatorError {
  return new OperatorError(`cron expression ${showValue(expression)} is not valid: ${why}`, { kind: "usage" });
}

/**
 * APScheduler (3.x, `CronTrigger.from_crontab`) reads `5/15` as "from 5 to the end", `last` as the last
 * day of the month, and counts weekdays from 0 = Monday, steps included.
 */
function fromApscheduler(expression: string, fields: FiveFields): string[] {
  return fields.map((field, index) => {
    const rule = fieldRules[index];
    if (rule === undefined) return field;
    if (rule.name === "day of week") return sundayBased(expression, field);
    if (rule.name === "day of month" && field.toLowerCase() === "last") return "L";
    return field
      .split(",")
      .map((part) => part.replace(/^(\d+)\/(\d+)$/, `$1-${rule.last}/$2`))
      .join(",");
  });
}

function sundayBased(expression: string, field: string): string {
  if (isStar(field)) return "*";
  const days = field.split(",").flatMap((part) => {
    const match = /^(?:(\*)|(\d+|[a-z]{3})(?:-(\d+|[a-z]{3}))?)(?:\/([1-9]\d*))?$/i.exec(part);
    const [, star, from, to, step] = match ?? [];
    const first = star === undefined ? mondayBased(from) : 0;
    const openEnd = star !== undefined || (to === undefined && step !== undefined);
    const last = openEnd ? 6 : mondayBased(to ?? from);
    if (match === null || first === undefined || last === undefined || first > last) {
      throw invalid(
        expression,
        `the day of week ${showValue(field)} is not valid with cron_dialect apscheduler (0-6, 0 is Monday, or MON-SUN)`,
      );
    }
    const count = Math.floor((last - first) / Number(step ?? 1)) + 1;
    return Array.from({ length: count }, (_, index) => (first + index * Number(step ?? 1) + 1) % 7);
  });
  return [...new Set(days)].toSorted((a, b) => a - b).join(",");
}

function mondayBased(day: string | undefined): number | undefined {
  if (day === undefined) return undefined;
  const index = /^\d+$/.test(day) ? Number(day) : weekdays.indexOf(day.toLowerCase() as (typeof weekdays)[number]);
  return index >= 0 && index <= 6 ? index : undefined;
}
