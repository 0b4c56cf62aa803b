import type { Positions } from "../positions.ts";
import { isRecord, recordsOf, type Tree } from "../tree.ts";
import type { UpgradeNote } from "./upgrade-note.ts";

/**
 * The original's older layout: a job with `syncs` of `source`, `dest` and `opts`, without names. They
 * become sync actions `sync-1`, `sync-2` … A job that has `actions` too is left as it is, to be refused.
 */
export function upgradeSyncsLayout(root: Tree, positions: Positions): UpgradeNote[] {
  return recordsOf(root["jobs"]).flatMap(([index, job]): UpgradeNote[] => {
    const { syncs } = job;
    if (!Array.isArray(syncs) || job["actions"] !== undefined) return [];
    const actions = syncs.map((sync: unknown, at) => upgradeSync(sync, at, positions));
    positions.inherit(actions, [syncs]);
    positions.rename(job, "syncs", "actions");
    job["actions"] = actions;
    delete job["syncs"];
    return [
      {
        path: ["jobs", index, "actions"],
        message: "syncs is the older layout: it was read as actions named sync-1, sync-2 and so on",
      },
    ];
  });
}

function upgradeSync(sync: unknown, index: number, positions: Positions): unknown {
  if (!isRecord(sync)) return sync;
  const action = { action: "sync", id: `sync-${index + 1}`, ...sync };
  positions.inherit(action, [sync]);
  return action;
}
