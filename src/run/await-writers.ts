import { sleep } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";

const pollMs = 5000;

/**
 * Waits for processes that even SIGKILL did not end (they hang in the kernel, on a dead disk or NFS
 * server, and go on writing when it comes back): as long as one lives the job is not over, and its
 * locks must stay. Returns those that still live when the director itself has to stop.
 */
export async function awaitWriters(
  livingWriters: () => readonly number[],
  options: { shutdown: AbortSignal; clock: Clock; log: Logger },
): Promise<readonly number[]> {
  const { shutdown, clock, log } = options;
  for (let told = false; ; told = true) {
    const living = livingWriters();
    if (living.length === 0) return [];
    if (!told) log.error({ pids: living }, "processes cannot be killed: the job keeps its locks until they are gone");
    if (!(await sleep(pollMs, { signal: shutdown, clock }))) return living;
  }
}
