import type { SyncAction } from "../config/resolved.ts";
import { buildRsyncCommand } from "../rsync/command.ts";
import type { ActionKind } from "./action-kind.ts";
import { runFullSync } from "./full-sync.ts";
import { runListSync } from "./list-sync.ts";
import { fullSpec, syncPlace } from "./sync-command.ts";

/** Copies from here to here, to another host, or from one: everything, or the paths that have changed. */
export const syncAction: ActionKind<SyncAction> = {
  preview: async (job, action, { dryRun, deps }) => {
    const [target] = job.targets;
    if (target === undefined) throw new Error(`job ${job.id} has no target`);
    return buildRsyncCommand(fullSpec(job, action, { place: await syncPlace(job, action, target, deps), dryRun }));
  },

  run: async (job, action, { context, deps }) => {
    const run = { job, action, context, deps };
    const place = await syncPlace(job, action, context.target, deps);
    const { scope } = context;
    if (scope.kind === "paths") return runListSync(run, place, scope.changes);
    const { deleted = [], replaced = [], reason } = scope;
    // A complete sync may not be allowed to find by itself what was seen to be deleted.
    if (deleted.length === 0 || job.watch?.deleteWatched !== true) return runFullSync(run, place);
    const changes = [
      ...deleted.map((path) => ({ path, kind: "deleted" as const })),
      ...replaced.map((path) => ({ path, kind: "tree" as const })),
    ];
    return runListSync(run, place, changes, { fullBecause: reason });
  },
};
