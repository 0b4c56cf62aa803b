import type { FileToCopy } from "../rsync/part-words.ts";

/** What a file costs beside its bytes. */
const perFile = 16 * 1024;
/** A part that has less to do is not worth its own session. */
const leastPart = 2 * 1024 * 1024;

/**
 * Lists for at most so many rsyncs, of about the same weight. The order stays as it is, so that most directories are in
 * one part. Empty: one rsync is as good.
 */
export function splitFiles(files: readonly FileToCopy[], most: number): readonly (readonly FileToCopy[])[] {
  const weights = files.map(({ bytes }) => bytes + perFile);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const count = Math.min(most, Math.floor(total / leastPart), files.length);
  if (count < 2) return [];
  const parts: FileToCopy[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const [index, file] of files.entries()) {
    const weight = weights[index] ?? 0;
    // A file belongs where its middle lies, so that a large one does not push all others behind it.
    const part = Math.min(count - 1, Math.floor((count * (before + weight / 2)) / total));
    parts[part]?.push(file);
    before += weight;
  }
  return parts.filter((part) => part.length > 0);
}
