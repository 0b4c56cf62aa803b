import { Cron } from "croner";
import { coerceError } from "../base/errors.ts";

export type CronCheck = { ok: true } | { ok: false; problem: string };

/** Where the look at an expression begins: what is found must not depend on today. */
const reference = new Date("2024-01-01T00:00:00Z");

/**
 * Whether a cron expression can be read and ever comes true. `timezone` is an IANA name, or undefined
 * for the host's zone. Odd but valid expressions are the business of `trigger/`.
 */
export function checkCronExpression(text: string, timezone: string | undefined): CronCheck {
  const expression = text.trim();
  const fields = expression.split(/\s+/).length;
  if (!expression.startsWith("@") && fields !== 5) {
    const shown = fields === 1 ? "one field" : `${fields} fields`;
    return { ok: false, problem: `has ${shown} instead of five (minute hour day month weekday)` };
  }
  try {
    if (open(expression, timezone).nextRun(reference) !== null) return { ok: true };
    return { ok: false, problem: "never comes: there is no such date" };
  } catch (error) {
    const reason = coerceError(error)
      .message.replace(/^CronPattern: /, "")
      .replace(/\..*$/, "");
    return { ok: false, problem: `cannot be read: ${reason}` };
  }
}

/** The least time between two of the next 30 times of a valid expression; undefined if there is one at most. */
export function shortestGapMs(text: string, timezone: string | undefined): number | undefined {
  const times = open(text.trim(), timezone).nextRuns(30, reference);
  const gaps = times.slice(1).map((time, index) => time.getTime() - (times[index]?.getTime() ?? 0));
  return gaps.length === 0 ? undefined : Math.min(...gaps);
}

/** Whether the host knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function open(expression: string, timezone: string | undefined): Cron {
  return new Cron(expression, { mode: "5-part", paused: true, ...(timezone === undefined ? {} : { timezone }) });
}
