import { createHash } from "node:crypto";
import { join, posix } from "node:path";
import type { Job, LockFile, Target } from "../../config/resolved.ts";
import { type HoldClaim, mostHolds } from "../../model/hold.ts";
import type { LockTransport } from "../transport/lock-transport.ts";
import type { LockTarget, TransportPool } from "../transport/transport-pool.ts";

/** A kernel lock to be held by the writers of a job, before its token is known. */
export type HoldFile = Omit<HoldClaim, "token">;

export type HoldPlan =
  /** The job has no locks, or copies nothing: there is nothing to fence. */
  | { readonly kind: "none" }
  | { readonly kind: "impossible"; readonly reason: string }
  | { readonly kind: "possible"; readonly site: HoldSite };

/** Where the writers of one target hold their locks. */
export interface HoldSite {
  /** The way to the host that is written, with the account that writes. */
  readonly transport: LockTransport;
  /** The same in words that outlive this process: any lock on that host and of that account. */
  readonly at: LockFile;
  readonly files: readonly HoldFile[];
  /** The file in which a token is declared dead: the first whose lock is on another host. */
  readonly fence: string | undefined;
}

/**
 * Which kernel locks the writers of each target have to hold, in the order of the job's targets: `P.hold` beside
 * each of its lock files that lies on the host that is written, and a file in `hold_dir` there for each that lies
 * elsewhere. Writers of several targets on one host share these, and each has one more for its target alone, so
 * that no try begins beside what is left of the one before.
 */
export async function planHolds(job: Job, transports: TransportPool): Promise<readonly HoldPlan[]> {
  const { targets } = job;
  if (job.lockFiles.length === 0 || job.actions.every(({ kind }) => kind !== "sync")) {
    return targets.map(() => ({ kind: "none" }));
  }
  if (job.hold === "off") {
    return targets.map(() => ({ kind: "impossible", reason: "it is switched off (hold: off)" }));
  }
  const ways = targets.map((target) => somewhereAtDestination(job, target));
  const [destinations, own] = await Promise.all(
    [ways, job.lockFiles].map((locks) => Promise.all(locks.map((lock) => transports.locate(lock)))),
  );
  return targets.map((target, index): HoldPlan => {
    const [at, destination] = [ways[index], destinations?.[index]];
    if (at === undefined || destination === undefined || own === undefined) return { kind: "none" };
    const isShared = (destinations ?? []).some((other, number) => number !== index && isSameHost(other, destination));
    return planTarget({ job, target, isShared }, { at, destination, own });
  });
}

function planTarget(
  { job, target, isShared }: { job: Job; target: Target; isShared: boolean },
  { at, destination, own }: { at: LockFile; destination: LockTarget; own: readonly LockTarget[] },
): HoldPlan {
  const files = new Map(own.map((lock) => [lock.key, holdFileOf(lock, destination, job.holdDir)]));
  const common = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  const fence = common.find(({ lock }) => lock === undefined)?.hold;
  const all = isShared ? [...common.map((file) => ({ ...file, shared: true })), ...ofTarget(common, target)] : common;
  if (all.length > mostHolds) {
    const most = mostHolds - (all.length - common.length);
    return { kind: "impossible", reason: `the job has ${common.length} lock files, and a writer can hold ${most}` };
  }
  return { kind: "possible", site: { transport: destination.transport, at, files: all, fence } };
}

/** Beside the first of the others, whose directory is there in any case. */
function ofTarget([first]: readonly HoldFile[], { id }: Target): HoldFile[] {
  if (first === undefined) return [];
  return [{ hold: join(posix.dirname(first.hold), `${digest(`${first.hold}\n${id}`)}.hold`), lock: undefined }];
}

function somewhereAtDestination(job: Job, { endpoint }: Target): LockFile {
  const path = join(job.holdDir, "any");
  if (endpoint === undefined || job.direction === "pull") return { type: "local", path };
  return { type: "remote", path, endpoint };
}

function holdFileOf(lock: LockTarget, destination: LockTarget, holdDir: string): HoldFile {
  if (isSameHost(lock, destination)) return { hold: `${lock.path}.hold`, lock: lock.path };
  return { hold: join(holdDir, `${digest(lock.key)}.hold`), lock: undefined };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function isSameHost(one: LockTarget, other: LockTarget): boolean {
  return hostOf(one) === hostOf(other);
}

function hostOf({ key }: LockTarget): string {
  return key.slice(0, key.indexOf("\n"));
}
