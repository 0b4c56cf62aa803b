import { formatDuration } from "../base/duration.ts";
import type { TransferProgress } from "../model/transfer.ts";
import { formatBytes } from "./output.ts";

const widestBar = 24;
const narrowestBar = 8;

/**
 * `home copy [######......]  50% 1.50 MB 300 kB/s 5s left`, at most `width` characters: where there is less room, first
 * the bar gets shorter, then the figures go, then the bar, and the percentage last.
 */
export function formatProgress(
  label: string,
  progress: TransferProgress,
  options: { millisecondsLeft: number | null; width: number },
): string {
  const { millisecondsLeft: left, width } = options;
  const percent = `${progress.percent}%`.padStart(4);
  const figures = [
    formatBytes(progress.bytes),
    `${formatBytes(progress.bytesPerSecond)}/s`,
    ...(left === null ? [] : [`${formatDuration(Math.round(left / 1000) * 1000)} left`]),
  ];
  // The bytes tell least to somebody who waits for the end.
  const choices = [figures, figures.slice(1), figures.slice(2), []];
  for (const chosen of choices) {
    const tail = [percent, ...chosen].join(" ");
    const room = width - label.length - tail.length - 4;
    if (room >= narrowestBar) return `${label} ${drawBar(progress.percent, Math.min(widestBar, room))} ${tail}`;
  }
  const short = width - percent.length - 1;
  if (short < 2) return percent.trim().slice(0, Math.max(0, width));
  return `${label.length > short ? `${label.slice(0, short - 1)}…` : label} ${percent}`;
}

function drawBar(percent: number, width: number): string {
  const full = Math.round((Math.max(0, Math.min(percent, 100)) / 100) * width);
  return `[${"#".repeat(full).padEnd(width, ".")}]`;
}
