export { formatBytes } from "../base/size.ts";
export { formatPlace } from "../model/describe.ts";

/** What makes text coloured; it takes no room. */
const colourCode = /\u001b\[[\d;]*m/g;

export function visibleLength(text: string): number {
  return text.replaceAll(colourCode, "").length;
}

/** A plain table: columns as wide as their longest cell, two spaces between, no trailing blanks. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ""))));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(cell))))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** `2026-11-20 10:48:03` in the host's zone (or the one given), for people. */
export function formatTime(milliseconds: number, timeZone?: string): string {
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone }).format(milliseconds);
}

/** `10:48:03` in the host's zone, for text that has many of them: making a formatter takes a tenth of a millisecond. */
export function createClockFormat(): (milliseconds: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });
  return (milliseconds) => format.format(milliseconds);
}

/** Text of other programs and of file names: it must not move the cursor or retitle the window. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

const timeFields = /^(?:at|since|until|scheduledFor)$|At$/;

/** JSON for programs. Times are ISO 8601: the numbers in fields called `at`, `since`, `until`, `scheduledFor`, or `…At`. */
export function formatJson(value: unknown): string {
  const withTimes = (key: string, field: unknown) =>
    typeof field === "number" && timeFields.test(key) ? new Date(field).toISOString() : field;
  return `${JSON.stringify(value, withTimes, 2)}\n`;
}
