import type { Job, SyncAction } from "../config/resolved.ts";
import type { TrackedPath } from "../changes/staged-file.ts";
import { buildRsyncCommand } from "../rsync/command.ts";
import { meaningOf } from "../rsync/exit-codes.ts";
import { decodeListedName, parseListedEntry } from "../rsync/list-source.ts";
import { runRsync } from "../rsync/run-rsync.ts";
import type { ActionContext, ActionDeps } from "./action-kind.ts";
import { childOptions, childSpec } from "./child-options.ts";
import type { TrackedPlaces } from "./tracked-places.ts";

type Listing = { places: TrackedPlaces; context: ActionContext; deps: ActionDeps };

/**
 * Every regular file on this host that the sync covers, its filters applied. rsync itself lists them, with the
 * words of the sync; each source by itself, for without a destination it takes the last one for that. Throws when
 * the list is not complete.
 */
export async function listCovered(job: Job, action: SyncAction, listing: Listing): Promise<TrackedPath[]> {
  const { only } = listing.places;
  if (only !== undefined) return listing.places.covers(only.path) ? [only] : [];
  const found = new Map<string, TrackedPath>();
  for (const source of listing.places.listed) {
    for (const path of await listSource(job, action, source, listing)) {
      if (!found.has(path)) found.set(path, { path, file: listing.places.fileOf(path) });
    }
  }
  return [...found.values()];
}

async function listSource(job: Job, action: SyncAction, source: string, listing: Listing): Promise<string[]> {
  const { places, context, deps } = listing;
  const options = { ...action.rsync, progress: false };
  const argv = buildRsyncCommand({ sources: [source], dest: undefined, options, opts: action.opts, dryRun: true });
  const found: string[] = [];
  const result = await runRsync(childSpec(argv, action.id, { context, deps }), {
    ...childOptions(job, { context, deps }),
    onOutput: (stream, line) => {
      const entry = stream === "stdout" ? parseListedEntry(line) : undefined;
      if (entry === undefined || entry.type !== "-") return;
      const path = decodeListedName(entry.name);
      if (places.covers(path)) found.push(path);
    },
  });
  context.signal.throwIfAborted();
  const { process, firstError } = result;
  if (process.kind === "exited" && process.code === 0) return found;
  const why = process.kind === "exited" ? meaningOf(process.code).meaning : "rsync did not run to its end";
  throw new Error(
    `the files of the sync could not be listed: ${why}${firstError === undefined ? "" : ` (${firstError})`}`,
  );
}
