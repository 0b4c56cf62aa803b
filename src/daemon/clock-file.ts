import { readFileSync, statSync } from "node:fs";
import type { ClockBelief } from "../base/clock-belief.ts";

/** No time of the file is later: it is shown to people, and a Date ends in 275760. */
const latest = 8e15;

/** What is kept of the belief in a clock: the wall times alone, as the others are worth nothing to another life. */
export function formatClockBelief({ believed, strange }: ClockBelief): string {
  const content = { v: 1, believed: believed?.wall ?? null, strangeSince: strange?.wall ?? null };
  return `${JSON.stringify(content)}\n`;
}

/** Throws the system error when the file cannot be read, or an error that says that it is damaged. */
export function readClockBelief(file: string): ClockBelief {
  // A pipe in its place would be read for ever.
  if (!statSync(file).isFile()) throw new Error("it is no file");
  const belief = parseClockBelief(readFileSync(file, "utf8"));
  if (belief === undefined) throw new Error("it is damaged, or was written by a newer version");
  return belief;
}

function parseClockBelief(text: string): ClockBelief | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { v, believed, strangeSince } = value as Record<string, unknown>;
  if (v !== 1 || !isTimeOrNull(believed) || !isTimeOrNull(strangeSince)) return undefined;
  return { believed: readingOf(believed), strange: readingOf(strangeSince) };
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || (Number.isSafeInteger(value) && Math.abs(value as number) <= latest);
}

function readingOf(wall: number | null): ClockBelief["believed"] {
  return wall === null ? null : { wall, boot: undefined };
}
