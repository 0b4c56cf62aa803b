import { readFileSync, statSync } from "node:fs";
import type { ClockBelief } from "../base/clock-belief.ts";

/** No time of the file is later: it is shown to people, and a Date ends in 275760. */
const latest = 8e15;

/** What is kept of the belief in a clock. What was measured since boot is worth something in the same boot alone. */
export function formatClockBelief({ believed, strange }: ClockBelief, bootId: string | undefined): string {
  const boot = { id: bootId, believed: believed?.boot ?? null, strange: strange?.boot ?? null };
  const content = { v: 1, believed: believed?.wall ?? null, strangeSince: strange?.wall ?? null };
  return `${JSON.stringify(bootId === undefined ? content : { ...content, boot })}\n`;
}

/** Throws the system error when the file cannot be read, or an error that says that it is damaged. */
export function readClockBelief(file: string, bootId: string | undefined): ClockBelief {
  // A pipe in its place would be read for ever.
  if (!statSync(file).isFile()) throw new Error("it is no file");
  const belief = parseClockBelief(readFileSync(file, "utf8"), bootId);
  if (belief === undefined) throw new Error("it is damaged, or was written by a newer version");
  return belief;
}

function parseClockBelief(text: string, bootId: string | undefined): ClockBelief | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { v, believed, strangeSince, boot } = value as Record<string, unknown>;
  if (v !== 1 || !isTimeOrNull(believed) || !isTimeOrNull(strangeSince)) return undefined;
  const measured = measuredIn(boot, bootId);
  return { believed: readingOf(believed, measured["believed"]), strange: readingOf(strangeSince, measured["strange"]) };
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || (Number.isSafeInteger(value) && Math.abs(value as number) <= latest);
}

/** The milliseconds since boot that were written down in this boot. */
function measuredIn(boot: unknown, bootId: string | undefined): Readonly<Record<string, unknown>> {
  if (typeof boot !== "object" || boot === null || bootId === undefined) return {};
  return (boot as Record<string, unknown>)["id"] === bootId ? (boot as Record<string, unknown>) : {};
}

function readingOf(wall: number | null, boot: unknown): ClockBelief["believed"] {
  return wall === null ? null : { wall, boot: typeof boot === "number" ? boot : undefined };
}
