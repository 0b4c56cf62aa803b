import { hostname } from "node:os";
import type { Clock } from "../../base/clock.ts";
import type { StartChild } from "../../base/kept-child.ts";
import { silentLogger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { Block, Config, Job, LockFile } from "../../config/resolved.ts";
import { describeOwner } from "../../lock/lock-owner.ts";
import { parseStatus, statusPath, type LockStatus } from "../../lock/lease/lock-status.ts";
import { defaultLockTimings } from "../../lock/lock-timings.ts";
import type { FoundLock } from "../../lock/transport/lock-transport.ts";
import { lookAt, type Sight } from "../../lock/look.ts";
import { boundStale, type StaleBound } from "../../lock/lease/stale-bound.ts";
import { createOwnerProbe } from "../../lock/lease/stale-watch-owner.ts";
import { createTransportPool, type LockTarget } from "../../lock/transport/transport-pool.ts";
import type { LockPlace } from "../../model/run.ts";
import { createConnectionPool } from "../../ssh/connection-pool.ts";

/** Who holds a lock, as its file says. */
export interface LockHolder {
  readonly job: string;
  readonly rsyncId: string;
  readonly host: string;
  readonly pid: number;
  readonly runId: string;
  readonly state: "claim" | "held";
  /** RFC 3339, by the owner's clock. */
  readonly since: string;
  readonly token: string;
  /** Whether its writers hold a kernel lock at the destination. */
  readonly hold: boolean;
}

/** One lock file of a job as it is just now. */
export interface LockExplanation {
  readonly place: LockPlace;
  readonly roles: readonly ("lock_files" | "blocks_on")[];
  /** Of `blocks_on`: what the configuration says of a long wait. */
  readonly block: { readonly timeoutMs: number | null; readonly onTimeout: "skip" | "fail" } | null;
  /** `foreign`: held by another program; `unknown`: nobody can say, which counts as held. */
  readonly state: "free" | "held" | "foreign" | "unknown";
  readonly holder: LockHolder | null;
  /** It is the job itself that holds it, in its present run. */
  readonly own: boolean;
  /** A director of this configuration on this host left it behind, and none runs now: its next start gives it back. */
  readonly leftover: boolean;
  /** Seconds since the last sign of life, by the clock of the lock's host. */
  readonly ageSeconds: number | null;
  /** Of a foreign lock. */
  readonly firstLine: string | null;
  /** How far its holder is; null: it does not say. */
  readonly progress: LockStatus | null;
  /** What happens when it gives no further sign of life; null: it is not held, or is the job's own. */
  readonly stale: StaleBound | { readonly kind: "owner-dead" } | null;
  /** Why nobody can say, and what to do. */
  readonly detail: string | null;
  readonly remedy: string | null;
}

export interface LookDeps {
  readonly runTool: RunTool;
  readonly startChild: StartChild;
  readonly clock: Clock;
  /** Bounds of the look; tests shrink them. */
  readonly connectTimeoutMs?: number;
  readonly withinMs?: number;
}

interface Wanted {
  readonly lock: LockFile;
  readonly roles: LockExplanation["roles"];
  readonly block: Block | undefined;
  readonly target: LockTarget;
}

/** Looks at every lock file that the job names, without changing anything, all hosts at once. */
export async function explainLocks(
  config: Config,
  job: Job,
  { ownRun, deps }: { ownRun: string | undefined; deps: LookDeps },
): Promise<LockExplanation[]> {
  const { clock, connectTimeoutMs = 10_000, withinMs = 20_000 } = deps;
  const connections = createConnectionPool({ ...deps, log: silentLogger });
  const operationTimeoutMs = Math.min(config.lockOperationTimeoutMs, withinMs);
  const pool = { ...deps, connections, log: silentLogger, localHost: hostname(), operationTimeoutMs };
  const transports = createTransportPool(pool);
  const look = { clock, signal: new AbortController().signal, withinMs };
  const probe = createOwnerProbe(await describeOwner({ inst: "", name: config.rsyncId }));
  // Somebody sits there and waits: less patience than a job has will do.
  const inHaste = (lock: LockFile): LockFile => {
    if (lock.type === "local") return lock;
    const { endpoint } = lock;
    return {
      ...lock,
      endpoint: { ...endpoint, connectTimeoutMs: Math.min(endpoint.connectTimeoutMs, connectTimeoutMs) },
    };
  };
  try {
    const wanted = await listLocks(job, (lock) => transports.locate(inHaste(lock)));
    const sights = await lookAt(
      wanted.map(({ target }) => target),
      look,
    );
    const held = wanted.filter((_, index) => isOurs(sights[index]));
    const statuses = await lookAt(
      held.map(({ target }) => ({ ...target, path: statusPath(target.path) })),
      look,
    );
    return await Promise.all(
      wanted.map(async (entry, index) => {
        const sight = sights[index] ?? { state: "unknown", detail: "no answer" };
        const status = statuses[held.indexOf(entry)];
        const isDead = async (found: FoundLock) =>
          entry.lock.type === "local" && found.record !== null && (await probe.isDead(found.record));
        return explainLock(entry, sight, { status, isDead, job, ownRun, config });
      }),
    );
  } finally {
    await connections.close();
  }
}

function isOurs(sight: Sight | undefined): boolean {
  return sight?.state === "held" && sight.found.record !== null;
}

/** Each file once, also when it is in both lists. */
async function listLocks(job: Job, locate: (lock: LockFile) => Promise<LockTarget>): Promise<Wanted[]> {
  const entries = [
    ...job.blocksOn.map((block) => ({ lock: block.lock, role: "blocks_on", block }) as const),
    ...job.lockFiles.map((lock) => ({ lock, role: "lock_files", block: undefined }) as const),
  ];
  const byKey = new Map<string, Wanted>();
  for (const { lock, role, block } of entries) {
    const target = await locate(lock);
    const known = byKey.get(target.key);
    const roles = [...new Set([...(known?.roles ?? []), role])];
    byKey.set(target.key, { lock: known?.lock ?? lock, roles, block: known?.block ?? block, target });
  }
  return [...byKey.values()];
}

async function explainLock(
  { lock, roles, block, target }: Wanted,
  sight: Sight,
  of: {
    status: Sight | undefined;
    isDead: (found: FoundLock) => Promise<boolean>;
    job: Job;
    ownRun: string | undefined;
    config: Config;
  },
): Promise<LockExplanation> {
  const { status, isDead, job, ownRun, config } = of;
  const base: LockExplanation = {
    place: target.place,
    roles,
    block: block === undefined ? null : { timeoutMs: block.timeoutMs ?? null, onTimeout: block.onTimeout },
    ...{ state: "free", holder: null, own: false, leftover: false, ageSeconds: null, firstLine: null, progress: null },
    ...{ stale: null, detail: null, remedy: null },
  };
  if (sight.state === "absent") return base;
  if (sight.state === "unknown") {
    const remedy = `rsyncdirector doctor ${target.place.host ?? "localhost"} --config ${config.file}`;
    return { ...base, state: "unknown", detail: sight.detail, remedy };
  }
  const { found } = sight;
  const { record, ageSeconds } = found;
  const policy = { lease: job.lease, foreignStaleAfterMs: lock.foreignStaleAfterMs };
  const stale = boundStale(found, policy, defaultLockTimings);
  if (record === null) return { ...base, state: "foreign", ageSeconds, firstLine: found.owner.slice(0, 80), stale };
  const { owner, job: holderJob, run: runId, state, created, token, hold } = record;
  const own = runId === ownRun && owner.name === config.rsyncId && holderJob === job.id;
  return {
    ...base,
    state: "held",
    holder: {
      ...{ job: holderJob, rsyncId: owner.name, host: owner.host, pid: owner.pid },
      ...{ runId, state, since: created, token, hold },
    },
    own,
    ageSeconds,
    progress: status?.state === "held" ? (parseStatus(status.found.owner, token) ?? null) : null,
    stale: own ? null : (await isDead(found)) && job.lease.breakStale ? { kind: "owner-dead" } : stale,
  };
}
