import { readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RsyncOptions } from "../../src/base/rsync-options.ts";
import { processesMentioning, waitUntil } from "./process-state.ts";
import type { StartedAction } from "./run-action.ts";

/** Options with which it takes a quarter of an hour. */
export const endless: RsyncOptions = { archive: true, bwlimit: "2000" };

/** Starts a sync of one large file with these options, and resolves once it is being received. */
export async function startEndlessSync(
  { source, dest }: { source: string; dest: string },
  start: () => StartedAction,
): Promise<StartedAction> {
  await writeFile(join(source, "big"), "");
  await truncate(join(source, "big"), 2_000_000_000);
  const started = start();
  onTestFinished(async () => {
    started.stop();
    for (const { pid } of processesMentioning(dest)) process.kill(pid, "SIGKILL");
    await started.outcome;
  });
  const receives = async () => (await readdir(dest).catch(() => [])).some((name) => name.startsWith(".big."));
  await waitUntil("the transfer is under way", receives);
  return started;
}
