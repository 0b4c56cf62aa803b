import type { Clock } from "../../base/clock.ts";
import type { Config } from "../../config/resolved.ts";
import type { LockView } from "../../model/status.ts";
import { openLockCatalog, type CatalogDeps } from "../inspect/lock-catalog.ts";
import { type LockReport, surveyLocks } from "../inspect/survey-locks.ts";

/** Somebody waits for the answer: a host that has not answered by then is unknown. */
const bounds = { connectTimeoutMs: 8_000, withinMs: 9_000 };

/**
 * Looks at every lock file that the configuration names, over connections of its own, so that a look never keeps the
 * work of a job waiting. Who asks while a look is under way gets the same answer.
 */
export function createLockLook(deps: Omit<CatalogDeps, "clock"> & { clock: Clock; config: () => Config }) {
  let underWay: Promise<readonly LockView[]> | undefined;
  const look = async (): Promise<readonly LockView[]> => {
    const catalog = await openLockCatalog([deps.config()], { ...deps, ...bounds });
    try {
      const reports = await surveyLocks(catalog.locks, catalog, { ...deps, ...bounds, locksOnly: true });
      return reports.map(viewOf);
    } finally {
      await catalog.close();
    }
  };
  return (): Promise<readonly LockView[]> => {
    underWay ??= look().finally(() => (underWay = undefined));
    return underWay;
  };
}

function viewOf(report: LockReport): LockView {
  const { place, state, owner, job, ageSeconds, silentSeconds, detail, firstLine, uses } = report;
  const jobsThat = (role: "takes" | "waits") => uses.filter((use) => use.role === role).map((use) => use.job);
  return {
    place,
    state,
    owner: owner === null ? firstLine : `${owner.rsyncId} on host ${owner.host} (pid ${owner.pid})`,
    ours: owner?.ours ?? false,
    ...{ job, ageSeconds, silentSeconds, detail },
    takenBy: jobsThat("takes"),
    blocks: jobsThat("waits"),
  };
}
