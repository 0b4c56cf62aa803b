import { realpathSync } from "node:fs";
import { OperatorError } from "../base/errors.ts";

/** A moment at which a zone's clocks are changed. */
export interface ClockChange {
  /** The first instant (ms) with the new offset. */
  at: number;
  before: number;
  after: number;
}

/**
 * Local time in one zone. A *label* is a wall-clock reading written as if it were UTC: 02:30 of a day
 * is `Date.UTC(year, month, day, 2, 30)`. Offsets are milliseconds east of UTC.
 */
export interface TimeZone {
  /** IANA name. */
  readonly name: string;
  offsetAt(instant: number): number;
  /** The first clock change in (after, until], or null. */
  nextChange(after: number, until: number): ClockChange | null;
  /** Where on the time line a label lies: once, twice (`earlier` is the first), or in a gap. */
  locate(label: number): { kind: "once" | "twice"; earlier: number } | { kind: "gap"; change: ClockChange };
}

const second = 1000;
const day = 86_400_000;
/** No zone has moved its clocks and back within a week. */
const changeSearchStep = 7 * day;

/**
 * The zone of that name, or the host's for undefined (UTC when the host's is not an IANA one).
 * Throws an `OperatorError` for an unknown name. `known`: the host's, if it can be told without `Intl`.
 */
export function openTimeZone(timezone: string | undefined, known: () => string | undefined = linkedTimeZone): TimeZone {
  const host = timezone === undefined ? known() : undefined;
  const name = timezone ?? host ?? hostTimeZone();
  const offsetAt = name === "UTC" ? () => 0 : host === undefined ? formatOffset(name) : hostOffset;

  const nextChange = (after: number, until: number): ClockChange | null => {
    const before = offsetAt(after);
    let low = after;
    while (low < until) {
      const high = Math.min(low + changeSearchStep, until);
      if (offsetAt(high) !== before) return firstChange(low, high, before);
      low = high;
    }
    return null;
  };

  const firstChange = (from: number, to: number, before: number): ClockChange => {
    let low = Math.floor(from / second);
    let high = Math.floor(to / second);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * second) === before) low = middle;
      else high = middle;
    }
    return { at: high * second, before, after: offsetAt(high * second) };
  };

  const locate: TimeZone["locate"] = (label) => {
    const offsets = [offsetAt(label - day), offsetAt(label + day)];
    const instants = offsets.map((offset) => label - offset).filter((at, index) => offsetAt(at) === offsets[index]);
    if (instants.length > 0) {
      return { kind: new Set(instants).size > 1 ? "twice" : "once", earlier: Math.min(...instants) };
    }
    const change = nextChange(label - day, label + day);
    if (change === null) throw new Error(`no instant and no clock change for a label in ${name}`);
    return { kind: "gap", change };
  };

  return { name, offsetAt, nextChange, locate };
}

/** `2026-11-20T10:48` of a label. */
export function labelText(label: number): string {
  return new Date(label).toISOString().slice(0, 16);
}

/** `2026-11-20 10:48:03 +01:00`: an instant as the people of that zone read it. */
export function formatZoned(instant: number, zone: TimeZone): string {
  const offset = zone.offsetAt(instant);
  const minutes = Math.abs(Math.round(offset / 60_000));
  const digits = (value: number) => String(value).padStart(2, "0");
  const local = new Date(instant + offset).toISOString().slice(0, 19).replace("T", " ");
  return `${local} ${offset < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
}

/**
 * The host's zone by the file that says it, where nothing in the environment says otherwise: to ask `Intl` for it costs
 * 8 MB of memory for good. undefined: `Intl` has to be asked.
 */
export function linkedTimeZone(
  { localtime, tz }: { localtime: string; tz: string | undefined } = {
    localtime: "/etc/localtime",
    tz: process.env["TZ"],
  },
): string | undefined {
  if (tz === "UTC" || tz === "Etc/UTC") return "UTC";
  if (tz !== undefined) return undefined;
  try {
    const name = /\/zoneinfo\/([A-Z]\w*(?:\/[\w+-]+)*)$/.exec(realpathSync(localtime))?.[1];
    return name === "Etc/UTC" ? "UTC" : name;
  } catch {
    return undefined;
  }
}

/** By the zone that this process counts in. */
function hostOffset(instant: number): number {
  return -new Date(instant).getTimezoneOffset() * 60_000;
}

function formatOffset(name: string): TimeZone["offsetAt"] {
  const format = openFormat(name);
  return (instant) => {
    const part = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of format.formatToParts(instant)) {
      if (type in part) part[type as keyof typeof part] = Number(value);
    }
    const label = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
    return label - Math.floor(instant / second) * second;
  };
}

/** With a `TZ` that ICU does not know Node itself counts in UTC and names no zone. */
function hostTimeZone(): string {
  const name: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === undefined || name === "Etc/Unknown" ? "UTC" : name;
}

function openFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (cause) {
    throw new OperatorError(`unknown time zone "${timeZone}": use a name such as Europe/Berlin or UTC`, {
      kind: "usage",
      cause,
    });
  }
}
