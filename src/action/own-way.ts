import type { ActionOutcome } from "../model/run.ts";
import { endOfWay, openWay } from "./remote-way.ts";
import { runSyncCall } from "./sync-call.ts";
import type { SyncPlace } from "./sync-command.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";

/** A call beside others of the same sync: through a session of its own, which is counted as one. */
export async function runOnOwnWay(
  run: SyncRun,
  place: SyncPlace,
  callOf: (place: SyncPlace) => SyncCall,
): Promise<ActionOutcome> {
  const { action, context, deps } = run;
  const { target, signal } = context;
  const way = place.remote === undefined ? undefined : await openWay(action, target, { deps, signal });
  let how: ReturnType<typeof endOfWay> = "unclear";
  try {
    const own = place.remote !== undefined && way !== undefined;
    const remote = own ? { ...place.remote, shell: way.shell, shownShell: way.shown } : place.remote;
    const outcome = await runSyncCall(run, callOf({ ...place, remote }));
    how = endOfWay(outcome);
    return outcome;
  } finally {
    way?.giveBack?.(how);
  }
}
