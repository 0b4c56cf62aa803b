/** A difference of a change log: `edit N.` was taken out, or was put in. */
const removed = /^-edit (\d+)\.$/;
const added = /^\+edit (\d+)\.$/;

/** Edits, each of which was made once in one file, that a change log has more than once. */
export function doubledEdits(log: string): string[] {
  const counts = new Map<string, number>();
  for (const line of log.split("\n")) {
    if (added.test(line)) counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).map(([line, count]) => `${line} ${count} times`);
}

/**
 * Edits that a change log has taken out though it never had them put in: a previous copy was lost. The edits from 1
 * to `initial` were there before there was a log.
 */
export function brokenChains(log: string, initial = 0): string[] {
  const broken: string[] = [];
  const present = new Set(Array.from({ length: initial }, (_, index) => String(index + 1)));
  for (const line of log.split("\n")) {
    const [, out] = removed.exec(line) ?? [];
    const [, into] = added.exec(line) ?? [];
    if (into !== undefined) present.add(into);
    if (out !== undefined && !present.delete(out)) broken.push(line);
  }
  return broken;
}
