import { lstat } from "node:fs/promises";
import { comparison, type Csync2Call } from "./csync2-words.ts";
import type { Receiver } from "./receiver.ts";
import { type Csync2Work, runCsync2 } from "./run-csync2.ts";

/** So often it is compared again because a peer was sending. */
const mostComparisons = 5;

/**
 * Of checks of single paths, those that have something to find. csync2 compares without marking first (`-o`): what a
 * watch saw because it was just received is equal by the time that no peer sends any more, and is not checked at all, so
 * that nothing which arrives meanwhile can be marked by a check that had no reason. What differs while nobody sends was
 * changed by somebody here.
 */
export async function settledChecks(
  work: Csync2Work,
  calls: readonly Csync2Call[],
  receiver: Receiver,
): Promise<readonly Csync2Call[]> {
  const { deps, context } = work;
  for (let count = 0; count < mostComparisons; count += 1) {
    if ((await receiver.settle({ clock: deps.clock, signal: context.signal })) === "given up") return calls;
    const narrowed = await narrow(work, calls);
    // In this order: what differs because it was being received is equal, or its peer still connected, by now.
    if (narrowed.length === 0 || !(await receiver.isBusy())) return narrowed;
  }
  return calls;
}

async function narrow(work: Csync2Work, calls: readonly Csync2Call[]): Promise<Csync2Call[]> {
  const narrowed: Csync2Call[] = [];
  for (const call of calls) {
    const paths = call.mode.includes("-r") ? call.paths : await differingPaths(work, call);
    if (paths.length > 0) narrowed.push({ ...call, paths });
  }
  return narrowed;
}

/** All of them where it cannot be told; what is not there may have been deleted, which a comparison does not show. */
async function differingPaths(work: Csync2Work, call: Csync2Call): Promise<readonly string[]> {
  if (call.paths.some((path) => path.includes("\n"))) return call.paths;
  const asked = new Set(call.paths);
  const [compared, differing] = [new Set<string>(), new Set<string>()];
  let isStrange = false;
  const result = await runCsync2(work, comparison(call), {
    silent: true,
    onLine: (stream, line) => {
      if (stream === "stdout") return void compared.add(line);
      const path = /^(?:File has changed|New file): (.*)$/.exec(line)?.[1];
      if (path === undefined) return;
      // With a prefix in place of its directory.
      if (asked.has(path)) differing.add(path);
      else isStrange = true;
    },
  });
  if (result.kind === "broken" || result.code !== 0 || isStrange) return call.paths;
  const paths: string[] = [];
  for (const path of call.paths) {
    const isEqual = compared.has(path) && !differing.has(path) && (await exists(path));
    if (!isEqual) paths.push(path);
  }
  return paths;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
