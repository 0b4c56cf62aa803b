import { quoteUntrusted, safeWord } from "../base/untrusted-text.ts";
import { describeChange } from "../changes/log-entry.ts";
import type { Difference } from "../changes/unified-diff.ts";
import type { RecordedChange } from "../model/tracked-change.ts";
import { formatJson, formatTable, formatTime, printable } from "./output.ts";

/** A change, and its difference if that was asked for. */
export interface ShownChange {
  readonly change: RecordedChange;
  readonly difference: Difference | undefined;
}

export function formatChangeList(changes: readonly ShownChange[]): string {
  const rows = changes.map(({ change }) => [
    formatTime(change.at),
    change.change,
    shortSize(change),
    change.copy === null ? "" : "yes",
    change.runId,
    change.jobId,
    formatName(change.file),
  ]);
  return printable(formatTable(["TIME", "CHANGE", "LINES", "COPY", "RUN", "JOB", "FILE"], rows));
}

/** Each change with its difference; in a pipe byte for byte, on a terminal without what could steer it. */
export function formatDifferences(changes: readonly ShownChange[], { isTTY }: { isTTY: boolean }): string {
  return changes
    .map(({ change, difference }) => {
      const head = [
        `${formatName(change.file)}: ${describeChange(change)}`,
        `${formatTime(change.at)}, run ${change.runId}, job ${change.jobId}, ${safeWord(change.trigger, 200)}`,
      ].join("\n");
      if (difference?.kind !== "diff")
        return `${printable(head)}\n(no difference: ${difference?.why ?? "not asked for"})\n`;
      return `${printable(head)}\n${isTTY ? printable(difference.text) : difference.text}`;
    })
    .join("\n");
}

export function changesAsJson(changes: readonly ShownChange[]): string {
  return formatJson(
    changes.map(({ change: { id: _id, ...change }, difference }) =>
      difference === undefined ? change : { ...change, diff: difference.kind === "diff" ? difference.text : null },
    ),
  );
}

/** As it is, or quoted when it holds what could lead somebody astray. */
export function formatName(name: string): string {
  return safeWord(name, 5000) === name ? name : quoteUntrusted(name, 5000);
}

function shortSize({ addedLines, removedLines }: RecordedChange): string {
  return addedLines === null || removedLines === null ? "" : `+${addedLines} -${removedLines}`;
}
