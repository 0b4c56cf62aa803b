import { setMaxListeners } from "node:events";
import { childController } from "../../base/abort.ts";
import type { Job } from "../../config/resolved.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import { type HoldPlan, type HoldSite, planHolds } from "./hold-plan.ts";
import { findObstacle } from "./hold-watch.ts";
import type { Fence, HoldPlace } from "../lock-record.ts";
import type { TransportPool } from "../transport/transport-pool.ts";

/** How one target is fenced. */
export interface ChosenFence {
  readonly site?: HoldSite;
  /** Why there is none although there is something to fence. */
  readonly reason?: string;
}

/** How the targets of a job are fenced. */
export interface JobFences {
  readonly byTarget: ReadonlyMap<string, ChosenFence>;
  /** Those that have one. */
  readonly sites: readonly HoldSite[];
  /** What the lock files say of them. */
  readonly fence: Fence | undefined;
  /** Why some of the writers hold no kernel lock, in words. */
  readonly unfencedBecause: string | undefined;
}

export type FenceChoice =
  ({ readonly kind: "chosen" } & JobFences) | { readonly kind: "refused"; readonly message: string };

/** Of one host among several: no lane may have to wait for another's that is gone. */
const oneOfSeveralMs = 5000;
const silentMs = 1000;
/** A lock file has 4096 bytes, of which this much can be spared for places. */
const longestFences = 2400;

/**
 * Asks the hosts that are written whether hold locks can be taken there, all at once. Without an answer they are
 * used all the same: the very moment after a broken connection is the one they are for. A job that requires them
 * is refused as a whole when a single target cannot have them.
 */
export function createFenceChooser(
  deps: Pick<LockDeps, "clock" | "timings"> & { transports: TransportPool },
): (job: Job, signal: AbortSignal) => Promise<FenceChoice> {
  const { transports, clock, timings } = deps;
  /** Ways to hosts that did not answer when they were last asked. */
  const silent = new WeakSet<HoldSite["transport"]>();

  const choose = async (plan: HoldPlan, job: Job, signal: AbortSignal): Promise<ChosenFence> => {
    if (plan.kind === "none") return {};
    if (plan.kind === "impossible") return { reason: plan.reason };
    const { site } = plan;
    const { transport, files, fence } = site;
    const bound = silent.has(transport) ? silentMs : oneOfSeveralMs;
    const withinMs = job.targets.length === 1 ? timings.operationMs : Math.min(timings.operationMs, bound);
    const holds = { transport, paths: files.map(({ hold }) => hold), fence };
    const found = await findObstacle(holds, { clock, signal, withinMs });
    if (found.answered) silent.delete(transport);
    else silent.add(transport);
    return found.obstacle === undefined ? { site } : { reason: found.obstacle };
  };

  return async (job, signal) => {
    const plans = await planHolds(job, transports);
    const asking = childController(signal);
    setMaxListeners(0, asking.signal);
    const asked = await Promise.all(plans.map((plan) => choose(plan, job, asking.signal)));
    asking.dispose();
    const places = placesOfFences(asked.flatMap(({ site }) => site ?? []));
    const isTooLong = JSON.stringify(places).length > longestFences;
    const why = `a lock file has no room for the hold locks of ${places.length} hosts`;
    const fences = isTooLong ? asked.map((fence): ChosenFence => (fence.site ? { reason: why } : fence)) : asked;
    const named = job.targets.map(({ id }, index) => [id, fences[index] ?? {}] as const);
    const because = named.flatMap(([id, { reason }]) => {
      if (reason === undefined) return [];
      return [named.length === 1 || isTooLong || job.hold === "off" ? reason : `${id}: ${reason}`];
    });
    const unfencedBecause = because.length === 0 ? undefined : [...new Set(because)].join("; ");
    if (unfencedBecause !== undefined && job.hold === "required") {
      return { kind: "refused", message: `a hold lock is required and cannot be: ${unfencedBecause}` };
    }
    const sites = fences.flatMap(({ site }) => site ?? []);
    const [first, ...others] = isTooLong ? [] : places;
    const fence = first === undefined ? undefined : { ...first, ...(others.length > 0 && { others }) };
    return { kind: "chosen", byTarget: new Map(named), sites, fence, unfencedBecause };
  };
}

/** What the lock files say, each place once. */
function placesOfFences(sites: readonly HoldSite[]): HoldPlace[] {
  const places = sites.flatMap(({ at, fence: path }): HoldPlace[] => {
    if (path === undefined) return [];
    if (at.type === "local") return [{ host: null, path }];
    const { host, user, port } = at.endpoint;
    return [{ host, ...(user !== undefined && { user }), ...(port !== undefined && { port }), path }];
  });
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}
