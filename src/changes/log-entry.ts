import { quoteUntrusted, safeWord } from "../base/untrusted-text.ts";
import type { PlannedChange } from "../model/tracked-change.ts";
import type { Difference } from "./unified-diff.ts";

/** Every line of a difference begins with another character, so that an entry ends where this line is. */
const endLine = "=".repeat(80);

/** What identifies an entry in a change log: `3f9a0c1b22e4.1`. */
export function entryMark(batchId: string, number: number): string {
  return `Entry:   ${batchId}.${number}\n`;
}

/** An entry of the change log, with the line that ends it. */
export function formatLogEntry(
  change: PlannedChange,
  options: {
    mark: string;
    difference: Difference | undefined;
    copyFile: string | undefined;
    note?: string | undefined;
  },
): string {
  const { difference, copyFile, note } = options;
  const lines = [
    `Time:    ${new Date(change.at).toISOString()}`,
    `File:    ${shownName(change.file)}`,
    `Change:  ${describeChange(change)}`,
    `Run:     ${change.runId}`,
    `Job:     ${safeWord(change.jobId)}, action ${safeWord(change.actionId)}`,
    `Trigger: ${safeWord(change.trigger, 1000)}`,
    ...(copyFile === undefined ? [] : [`Before:  ${shownName(copyFile)}`]),
    ...(note === undefined ? [] : [`Note:    ${note}`]),
    ...(difference?.kind === "none" ? [`Note:    no difference: ${difference.why}`] : []),
  ];
  const text = difference?.kind === "diff" ? difference.text : "";
  return `${options.mark}${lines.join("\n")}\n${withLineEnd(text)}${endLine}\n`;
}

/** The entries of a text, each with its end; what comes after the last end is no entry. */
export function splitLogEntries(text: Buffer): Buffer[] {
  const end = Buffer.from(`\n${endLine}\n`);
  const entries: Buffer[] = [];
  let start = 0;
  for (;;) {
    const at = text.indexOf(end, start);
    if (at < 0) return entries;
    entries.push(text.subarray(start, at + end.length));
    start = at + end.length;
  }
}

/** `modified, 120 -> 130 bytes, 2 lines added, 1 removed`; for binary files also the checksums. */
export function describeChange({ change, before, after, addedLines, removedLines }: PlannedChange | Shown): string {
  const parts: string[] = [change];
  const noText = (before ?? after)?.kind !== "text" || (after ?? before)?.kind !== "text";
  if (noText) parts[0] = `${change} (${(after ?? before)?.kind === "large" ? "large" : "binary"})`;
  if (before !== null && after !== null) parts.push(`${before.size} -> ${after.size} bytes`);
  else if (before !== null || after !== null) parts.push(`${(after ?? before)?.size} bytes`);
  if (addedLines !== null && removedLines !== null) parts.push(`${lines(addedLines)} added, ${removedLines} removed`);
  if (noText) {
    const sums = [before, after].filter((side) => side !== null).map(({ sha256 }) => sha256 ?? "unknown");
    parts.push(`sha256 ${sums.join(" -> ")}`);
  }
  return parts.join(", ");
}

type Shown = Pick<PlannedChange, "change" | "before" | "after" | "addedLines" | "removedLines">;

function lines(count: number): string {
  return count === 1 ? "1 line" : `${count} lines`;
}

/** Names are shown as they are unless that could lead somebody astray. */
function shownName(name: string): string {
  return safeWord(name, 5000) === name ? name : quoteUntrusted(name, 5000);
}

function withLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
