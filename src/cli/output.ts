import { replaceUnsafe } from "../base/untrusted-text.ts";
import { displayWidth } from "./display-width.ts";

export { formatBytes } from "../base/size.ts";
export { formatPlace } from "../model/describe.ts";

/** A plain table: columns as wide as their longest cell, two spaces between, no trailing blanks. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map((cell) => ({ cell, width: displayWidth(cell) })));
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.width ?? 0)));
  const lines = all.map((row) =>
    row
      .map(({ cell, width }, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - width)))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** `2026-11-20 10:48:03` in the host's zone (or the one given), for people. */
export function formatTime(milliseconds: number, timeZone?: string): string {
  if (timeZone === undefined) return formatHostTime(milliseconds);
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone }).format(milliseconds);
}

/** Not by Intl: the first formatter takes longer to make than a director to answer. */
function formatHostTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(":")}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** `10:48:03` in the host's zone. */
export function formatClock(milliseconds: number): string {
  return formatTime(milliseconds).slice(11);
}

/** Text of other programs and of file names: it must not move the cursor, retitle the window, or turn what stands beside it. */
export function printable(text: string): string {
  return replaceUnsafe(text);
}

const timeFields = /^(?:at|since|until|scheduledFor)$|At$/;

/** JSON for programs. Times are ISO 8601: the numbers in fields called `at`, `since`, `until`, `scheduledFor`, or `…At`. */
export function formatJson(value: unknown): string {
  const withTimes = (key: string, field: unknown) =>
    typeof field === "number" && timeFields.test(key) ? new Date(field).toISOString() : field;
  return `${JSON.stringify(value, withTimes, 2)}\n`;
}
