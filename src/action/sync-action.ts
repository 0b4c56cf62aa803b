import type { Job, SyncAction } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";
import { buildRsyncCommand } from "../rsync/command.ts";
import type { ActionKind } from "./action-kind.ts";
import { runFullSync } from "./full-sync.ts";
import { runListSync } from "./list-sync.ts";
import { endOfWay, openWay } from "./remote-way.ts";
import { fullSpec, syncPlace } from "./sync-command.ts";
import type { SyncPlace } from "./sync-command.ts";
import type { SyncRun } from "./sync-run.ts";
import { createTreeSizes, recursionWords } from "./tree-sizes.ts";

/** Copies from here to here, to another host, or from one: everything, or the paths that have changed. */
export function createSyncAction(): ActionKind<SyncAction> {
  const sizes = createTreeSizes();
  return {
    preview: async (job, action, { dryRun, deps }) => {
      const [target] = job.targets;
      if (target === undefined) throw new Error(`job ${job.id} has no target`);
      const way = await openWay(action, target, { deps, signal: AbortSignal.abort() });
      return buildRsyncCommand(fullSpec(job, action, { place: syncPlace(job, action, { target, way }), dryRun }));
    },

    run: async (job, action, { context, deps }) => {
      const { target, signal } = context;
      const way = await openWay(action, target, { deps, signal });
      let how: ReturnType<typeof endOfWay> = "unclear";
      try {
        const place = syncPlace(job, action, { target, way });
        const files = sizes.lastKnown(job, action, target);
        const recursion = await recursionWords(action, place.words, { files, roundTrip: way?.roundTrip });
        const outcome = await runScope(
          { job, action, context, deps },
          {
            ...place,
            ...{ recursion, mayBeNew: files === undefined },
          },
        );
        if (isComplete(job, context.scope)) sizes.learn(job, action, { target, outcome });
        how = endOfWay(outcome);
        return outcome;
      } finally {
        way?.giveBack?.(how);
      }
    },
  };
}

function runScope(run: SyncRun, place: SyncPlace): Promise<ActionOutcome> {
  const { scope } = run.context;
  if (scope.kind === "paths") return runListSync(run, place, scope.changes);
  const { deleted = [], replaced = [], reason } = scope;
  if (isComplete(run.job, scope)) return runFullSync(run, place);
  const changes = [
    ...deleted.map((path) => ({ path, kind: "deleted" as const })),
    ...replaced.map((path) => ({ path, kind: "tree" as const })),
  ];
  return runListSync(run, place, changes, { fullBecause: reason });
}

/** A complete sync may not be allowed to find by itself what was seen to be deleted. */
function isComplete(job: Job, scope: SyncRun["context"]["scope"]): boolean {
  return scope.kind === "full" && ((scope.deleted ?? []).length === 0 || job.watch?.deleteWatched !== true);
}
