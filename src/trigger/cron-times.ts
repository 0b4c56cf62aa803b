import { openPattern, readFields } from "../config/cron-fields.ts";
import type { CronDialect, CronFields } from "../config/cron-fields.ts";
import { labelText } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";

export interface CronTime {
  /** The instant, wall-clock milliseconds. */
  at: number;
  /**
   * Wall-clock reading and zone of a fixed time (`2026-10-25T02:15 Europe/Berlin`), which must not run
   * twice; null for expressions with `*` in minute or hour, which repeat with the clock.
   */
  localLabel: string | null;
}

export interface CronTimes {
  readonly fields: CronFields;
  /** Every time strictly after `after`, in order; it ends when the expression names no further day. */
  from(after: number): Generator<CronTime, undefined>;
}

/** Debian cron makes up for clocks that went forward by less than this; cron(8), "less than 3 hours". */
const longestMadeUpGap = 3 * 3_600_000;

/**
 * The times of one expression in one zone, with the clock changes treated as Debian's cron does:
 * fixed times inside the gap come right after it, those in the fold once; times with `*` in minute or
 * hour follow the clock as it is. Throws an `OperatorError` for an expression it cannot read.
 */
export function parseCronTimes(expression: string, options: { zone: TimeZone; dialect: CronDialect }): CronTimes {
  const fields = readFields(expression, options.dialect);
  const walk = fields.fixed ? fixedTimes : wildcardTimes;
  return { fields, from: rememberNearest((after) => walk(fields, options.zone, after)) };
}

/** Enough for what is asked together: the next three for the log, and the first of them to wait for. */
const remembered = 3;

/** Times that follow each other: all those in (after, until]. */
interface Stretch {
  readonly after: number;
  readonly until: number;
  readonly times: readonly CronTime[];
}

/**
 * Every job that shares an expression asks for its next times, mostly from the same moment on, and to open a pattern
 * takes longer than to walk on in it.
 */
function rememberNearest(walk: CronTimes["from"]): CronTimes["from"] {
  let stretch: Stretch = { after: 0, until: 0, times: [] };
  return function* (after): Generator<CronTime, undefined> {
    if (after < stretch.after || after >= stretch.until) stretch = firstTimes(walk, after);
    const { times, until } = stretch;
    yield* times.filter(({ at }) => at > after);
    if (until !== Infinity) yield* walk(until);
  };
}

function firstTimes(walk: CronTimes["from"], after: number): Stretch {
  const times: CronTime[] = [];
  for (const time of walk(after)) {
    times.push(time);
    if (times.length === remembered) break;
  }
  // Fewer: the expression names no further day.
  const until = times.length < remembered ? Infinity : (times.at(-1)?.at ?? Infinity);
  return { after, until, times };
}

/**
 * Labels in order lead to instants in order (a gap and the second half of a fold only repeat or go
 * below what was there), so everything after `after` has a label after that of `after`.
 */
function* fixedTimes(fields: CronFields, zone: TimeZone, after: number): Generator<CronTime, undefined> {
  const labels = walkLabels(fields);
  let last = after;
  for (let label = labels(after + zone.offsetAt(after)); label !== null; label = labels(label)) {
    const place = zone.locate(label);
    if (place.kind === "gap" && place.change.after - place.change.before >= longestMadeUpGap) continue;
    const at = place.kind === "gap" ? place.change.at : place.earlier;
    if (at <= last) continue;
    yield { at, localLabel: `${labelText(label)} ${zone.name}` };
    last = at;
  }
}

/** Goes from one clock change to the next; between two of them labels and instants run side by side. */
function* wildcardTimes(fields: CronFields, zone: TimeZone, after: number): Generator<CronTime, undefined> {
  const labels = walkLabels(fields);
  let last = after;
  let offset = zone.offsetAt(after);
  for (let label = labels(after + offset); label !== null;) {
    const at = label - offset;
    const change = zone.nextChange(last, at);
    if (change === null) {
      yield { at, localLabel: null };
      last = at;
      label = labels(label);
    } else {
      last = change.at;
      offset = change.after;
      label = labels(last + offset - 1);
    }
  }
}

/** The first matching label after the given one. One croner pattern takes 80 kB, so nobody keeps it. */
function walkLabels(fields: CronFields): (after: number) => number | null {
  const pattern = openPattern(fields);
  return (after) => pattern.nextRun(new Date(after))?.getTime() ?? null;
}
