import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Job, LockFile } from "../../config/resolved.ts";
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

/** Where the writers of a job hold their locks. */
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
 * Which kernel locks the writers of a job have to hold: `P.hold` beside each of its lock files that
 * lies on the host that is written, and a file in `hold_dir` there for each that lies elsewhere.
 */
export async function planHolds(job: Job, transports: TransportPool): Promise<HoldPlan> {
  if (job.lockFiles.length === 0 || job.actions.every(({ kind }) => kind !== "sync")) return { kind: "none" };
  if (job.hold === "off") return { kind: "impossible", reason: "it is switched off (hold: off)" };
  const at = somewhereAtDestination(job);
  const [destination, ...own] = await Promise.all([at, ...job.lockFiles].map((lock) => transports.locate(lock)));
  if (destination === undefined) return { kind: "none" };
  const files = new Map(own.map((lock) => [lock.key, holdFileOf(lock, destination, job.holdDir)]));
  if (files.size > mostHolds) {
    return { kind: "impossible", reason: `the job has ${files.size} lock files, and a writer can hold ${mostHolds}` };
  }
  const inOrder = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  const fence = inOrder.find(({ lock }) => lock === undefined)?.hold;
  return { kind: "possible", site: { transport: destination.transport, at, files: inOrder, fence } };
}

function somewhereAtDestination(job: Job): LockFile {
  const path = join(job.holdDir, "any");
  const endpoint = job.targets[0]?.endpoint;
  if (endpoint === undefined || job.direction === "pull") return { type: "local", path };
  return { type: "remote", path, endpoint };
}

function holdFileOf(lock: LockTarget, destination: LockTarget, holdDir: string): HoldFile {
  if (hostOf(lock) === hostOf(destination)) return { hold: `${lock.path}.hold`, lock: lock.path };
  const name = createHash("sha256").update(lock.key).digest("hex").slice(0, 32);
  return { hold: join(holdDir, `${name}.hold`), lock: undefined };
}

function hostOf({ key }: LockTarget): string {
  return key.slice(0, key.indexOf("\n"));
}
