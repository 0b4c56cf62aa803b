import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { sleep } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Csync2Action } from "../../config/resolved.ts";

/** Debian's build of csync2; `-D` names another. */
const usualDirectory = "/var/lib/csync2";
const pollMs = 50;
/** csync2 commits every few seconds at the latest; whoever holds its database for longer has stopped in the middle. */
const longestMs = 15_000;

/**
 * Waits while csync2's own service on this host is taking files in. It puts a file in its place at once and writes
 * down that it did when it commits, at the end of the connection as a rule. A check in between takes the file for a
 * change of this host and sends it back, and the host that it came from would be in conflict with its next change.
 * SQLite keeps a journal beside the database from the first write of a transaction to its commit (sqlite.org, "File
 * Locking And Concurrency", section 4). A database of another kind has none, and nobody waits.
 */
export async function awaitReceiver(
  { opts, hostname: ownName = hostname() }: Pick<Csync2Action, "opts" | "hostname">,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const directory = databaseDirectory(opts);
  const isReceiving = async () => {
    const names = await readdir(directory).catch(() => []);
    return names.some((name) => name.startsWith(ownName.toLowerCase()) && name.endsWith("-journal"));
  };
  const until = clock.monotonic() + longestMs;
  while (!signal.aborted && clock.monotonic() < until && (await isReceiving())) {
    await sleep(pollMs, { clock, signal });
  }
}

function databaseDirectory(opts: Csync2Action["opts"]): string {
  const index = opts.findLastIndex((word) => word.startsWith("-D"));
  const word = opts[index];
  if (word === undefined) return usualDirectory;
  return word === "-D" ? (opts[index + 1] ?? usualDirectory) : word.slice(2);
}
