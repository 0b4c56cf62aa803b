import type { Clock } from "../../base/clock.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { HoldAnswer } from "../../lock/transport/lock-transport.ts";
import type { LockRecord } from "../../lock/lock-record.ts";
import { describePlace, lookAt, type Sight } from "../../lock/look.ts";
import type { LockTarget } from "../../lock/transport/transport-pool.ts";
import type { LockPlace } from "../../model/run.ts";
import { settlesWithin } from "../../process/settles-within.ts";
import { lookBeside, type Beside, type BrokenLock } from "./beside-lock.ts";
import type { CatalogedLock, LockCatalog, LockUse } from "./lock-catalog.ts";

/** Whether anybody writes what a lock protects, as the kernel of the destination says. */
export type WriterSight =
  | { readonly state: "alive" | "none"; readonly place: LockPlace }
  /** Its writers hold no kernel lock (`hold: off`, or the destination does not allow one), so that nobody can say. */
  | { readonly state: "untold" }
  | { readonly state: "unknown"; readonly detail: string };

/** Who made a lock, as its file says. */
export interface LockOwnerReport {
  readonly rsyncId: string;
  readonly host: string;
  readonly pid: number;
  /** It was made by one of the installations that were asked about. */
  readonly ours: boolean;
}

/** One lock file as it is just now. */
export interface LockReport {
  readonly place: LockPlace;
  /** `unknown`: nobody can say, which counts as held. */
  readonly state: "free" | "claim" | "held" | "foreign" | "unknown";
  readonly owner: LockOwnerReport | null;
  /** It was on this machine, and has certainly ended, with all that it had started. */
  readonly ownerIsDead: boolean;
  readonly job: string | null;
  readonly run: string | null;
  readonly token: string | null;
  /** RFC 3339, by the owner's clock. */
  readonly created: string | null;
  /** Since it was created: by this host's clock less the owner's. Null when those contradict each other. */
  readonly ageSeconds: number | null;
  /** Since the last sign of life (of a foreign lock: since it was written), by the clock of the lock's host. */
  readonly silentSeconds: number | null;
  /** Of the lock; 0: it never goes stale. */
  readonly ttlSeconds: number | null;
  readonly heartbeatSeconds: number | null;
  /** When it was last touched, in whole seconds by the clock of its host: for comparison only. */
  readonly mtimeSeconds: number | null;
  /** null: there is neither a lock nor a hold file. */
  readonly writer: WriterSight | null;
  /** Of a foreign lock. */
  readonly firstLine: string | null;
  /** Why nobody can say. */
  readonly detail: string | null;
  readonly uses: readonly LockUse[];
  /** Locks that were moved aside here; null: it cannot be told. */
  readonly broken: readonly BrokenLock[] | null;
}

export interface SurveyDeps {
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly withinMs?: number;
  /** Only the lock files themselves: no hold files, and nothing that was moved aside. */
  readonly locksOnly?: boolean;
}

const never = new AbortController().signal;

/**
 * Looks at locks of a catalog, all hosts at once, each with the same bound: one that does not answer is unknown
 * and keeps no other waiting. Nothing is changed, but that a hold file is locked for a moment to see whether it is.
 */
export async function surveyLocks(
  locks: readonly CatalogedLock[],
  catalog: LockCatalog,
  deps: SurveyDeps,
): Promise<LockReport[]> {
  const { clock, withinMs = 20_000, locksOnly = false } = deps;
  const sights = await lookAt(
    locks.map(({ target }) => target),
    { clock, signal: never, withinMs },
  );
  const answered = locks.filter((_, index) => !locksOnly && sights[index]?.state !== "unknown");
  const besides = new Map<CatalogedLock, Beside>();
  const work = byTransport(answered).map(async (group) => {
    const found = await lookBeside(group, { ...deps, ...catalog, operationTimeoutMs: withinMs });
    group.forEach((lock, index) => {
      const beside = found[index];
      if (beside !== undefined) besides.set(lock, beside);
    });
  });
  await settlesWithin(Promise.all(work), withinMs, { clock });
  return Promise.all(
    locks.map(async (lock, index) => {
      const sight = sights[index] ?? { state: "unknown", detail: "no answer" };
      const beside = besides.get(lock);
      const writer =
        locksOnly || sight.state === "unknown" ? null : await lookForWriter(lock, sight, { beside, catalog, deps });
      const record = sight.state === "held" ? sight.found.record : null;
      const ownerIsDead = record !== null && (await catalog.owners.isDead(record));
      return { ...toReport(lock, sight, { writer, beside, catalog, now: clock.now() }), ownerIsDead };
    }),
  );
}

function byTransport(locks: readonly CatalogedLock[]): CatalogedLock[][] {
  const groups = new Map<unknown, CatalogedLock[]>();
  for (const lock of locks) {
    const { transport } = lock.target;
    groups.set(transport, [...(groups.get(transport) ?? []), lock]);
  }
  return [...groups.values()];
}

/** Looks at the hold file: the one that the lock names, or the one beside it, even when there is no lock (any more). */
async function lookForWriter(
  { target }: CatalogedLock,
  sight: Exclude<Sight, { state: "unknown" }>,
  about: { beside: Beside | undefined; catalog: LockCatalog; deps: SurveyDeps },
): Promise<WriterSight | null> {
  const { beside, catalog, deps } = about;
  const record = sight.state === "held" ? sight.found.record : null;
  const hold = { ...target, path: `${target.path}.hold`, place: { ...target.place, path: `${target.path}.hold` } };
  if (record === null) {
    const seen = beside?.hasHold === true ? await askHold(hold, deps) : null;
    // Another program's writers hold nothing: that nobody does proves nothing.
    return sight.state === "held" && seen?.state !== "alive" ? { state: "untold" } : seen;
  }
  if (!record.hold) return { state: "untold" };
  if (record.fence === undefined) return withUnfenced(record, await askHold(hold, deps));
  const way = await catalog.reachFence(record);
  const there: WriterSight =
    way === undefined ? { state: "unknown", detail: whyNoWay(record) } : await askHold(way, deps);
  // Of a job that writes on several hosts, one may be that of the lock file.
  const here = beside?.hasHold === true && there.state !== "alive" ? await askHold(hold, deps) : there;
  return withUnfenced(record, here.state === "none" ? there : here);
}

/** That no writer is seen proves nothing where some of them hold no kernel lock. */
function withUnfenced({ unfenced }: LockRecord, seen: WriterSight): WriterSight {
  return unfenced === true && seen.state === "none" ? { state: "untold" } : seen;
}

export function whyNoWay({ fence, owner }: LockRecord): string {
  const host = fence?.host ?? owner.host;
  return `its hold lock is on ${host}, which this configuration does not lead to`;
}

async function askHold({ transport, path, place }: LockTarget, deps: SurveyDeps): Promise<WriterSight> {
  const { clock, withinMs = 20_000 } = deps;
  const asked = transport.holds([path], never);
  const answer = (await settlesWithin(asked, withinMs, { clock })) ? (await asked)[0] : undefined;
  switch (answer?.kind) {
    case "in-use":
      return { state: "alive", place };
    case "free":
      return { state: "none", place };
    default:
      return { state: "unknown", detail: `${describePlace(place)}: ${failureOf(answer)}` };
  }
}

function failureOf(answer: Extract<HoldAnswer, { detail: string }> | undefined): string {
  return answer?.detail ?? "no answer in time";
}

function toReport(
  { target, uses }: CatalogedLock,
  sight: Sight,
  of: { writer: WriterSight | null; beside: Beside | undefined; catalog: LockCatalog; now: number },
): LockReport {
  const { writer, beside, catalog, now } = of;
  const base: LockReport = {
    ...{
      place: target.place,
      state: "free",
      owner: null,
      ownerIsDead: false,
      job: null,
      run: null,
      token: null,
      created: null,
    },
    ...{ ageSeconds: null, silentSeconds: null, ttlSeconds: null, heartbeatSeconds: null, mtimeSeconds: null },
    ...{ writer, firstLine: null, detail: null, uses, broken: beside?.broken ?? null },
  };
  if (sight.state === "absent") return base;
  if (sight.state === "unknown") return { ...base, state: "unknown", detail: sight.detail };
  const { record, ageSeconds, owner: firstLine, mtime: mtimeSeconds } = sight.found;
  const silentSeconds = ageSeconds < 0 ? null : ageSeconds;
  if (record === null) {
    return { ...base, state: "foreign", silentSeconds, mtimeSeconds, firstLine: firstLine.slice(0, 200) };
  }
  const { owner, job, run, token, created, hb, ttl, state } = record;
  const age = (now - Date.parse(created)) / 1000;
  return {
    ...base,
    state,
    owner: {
      rsyncId: owner.name,
      host: owner.host,
      pid: owner.pid,
      ours: catalog.installations.has(owner.inst),
    },
    ...{ job, run, token, created, silentSeconds, ttlSeconds: ttl, heartbeatSeconds: hb, mtimeSeconds },
    ageSeconds: age >= 0 ? Math.round(age) : null,
  };
}
