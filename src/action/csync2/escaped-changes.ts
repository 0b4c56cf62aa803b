import { lstat } from "node:fs/promises";
import { sleep } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";

/** csync2 sets the time of a file that it receives in a step of its own, after the content. */
const settlingMs = 3000;

/**
 * Of changed paths in which csync2 found nothing new, those that may have changed within the second of the change
 * before. What is gone was marked by the check if csync2 knew it, and what it does not know it must not delete.
 * Of anything but files csync2 compares all that it carries. A time without a fraction was set by csync2 itself: a
 * file that it has received and that was marked here would be in conflict with its next change where it came from.
 * What changes again meanwhile is seen again.
 */
export async function escapedChanges(
  paths: readonly string[],
  { clock, signal, settle }: { clock: Clock; signal: AbortSignal; settle: () => Promise<unknown> },
): Promise<string[]> {
  const before = await changeTimes(paths);
  const youngest = Math.max(...[...before.values()].map((time) => Number(time / 1_000_000n)));
  const rest = Math.min(settlingMs, youngest + settlingMs - clock.now());
  if (rest > 0) await sleep(rest, { clock, signal });
  // It may be between two steps for longer: csync2 waits whole seconds for its database.
  if (before.size > 0) await settle();
  const after = await changeTimes([...before.keys()]);
  return [...after].filter(([path, time]) => before.get(path) === time).map(([path]) => path);
}

/** Change times (ns since 1970) of those of the paths that are files with a fraction in their time. */
async function changeTimes(paths: readonly string[]): Promise<Map<string, bigint>> {
  const times = new Map<string, bigint>();
  for (const path of paths) {
    const stats = await lstat(path, { bigint: true }).catch(() => undefined);
    if (stats?.isFile() === true && stats.mtimeNs % 1_000_000_000n !== 0n) times.set(path, stats.ctimeNs);
  }
  return times;
}
