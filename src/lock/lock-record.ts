/** Who holds a lock: enough to find the process, and to see after a crash that it is gone. */
export interface LockOwner {
  /** Random name of the installation, kept in its state directory. */
  readonly inst: string;
  /** `rsync_id`. */
  readonly name: string;
  readonly host: string;
  /** The first 16 hex digits of the SHA-256 of the machine id. */
  readonly machine: string;
  /** Kernel's boot id. */
  readonly boot: string;
  readonly pid: number;
  /** Start time of the process, field 22 of /proc/PID/stat. */
  readonly start: number;
  /** The pid namespace in which `pid` means something, as `readlink /proc/self/ns/pid` prints it. */
  readonly pidns?: string;
}

/** A hold file, in words by which others may find it. */
export interface HoldPlace {
  /** As the owner's configuration calls it; null is the owner's own machine. */
  readonly host: string | null;
  readonly user?: string;
  readonly port?: number;
  readonly path: string;
}

/** Where the tokens of a job can be declared dead. Whoever breaks its lock has to do so in all of these places. */
export interface Fence extends HoldPlace {
  /** Of a job that writes on several hosts: those on the others. In the file they follow in one list. */
  readonly others?: readonly HoldPlace[];
}

/** The second line of a lock file, format version 1 (docs/locking.md). */
export interface LockRecord {
  readonly v: 1;
  /** 128 random bits; whoever knows it owns the lock. */
  readonly token: string;
  readonly state: "claim" | "held";
  /** The lower one goes on when two jobs claim at the same time. */
  readonly rank: string;
  readonly owner: LockOwner;
  readonly job: string;
  readonly run: string;
  /** Seconds between two signs of life; 0: it gives none. */
  readonly hb: number;
  /** Seconds without a sign of life after which the lock is stale; 0: never. */
  readonly ttl: number;
  /** A kernel lock at the destination proves whether anybody still writes. */
  readonly hold: boolean;
  /** Some of its writers hold no kernel lock, so that nobody can say whether one of them still writes. */
  readonly unfenced?: true;
  /** Where the token can be declared dead, when a hold lock is not beside the lock file. */
  readonly fence?: Fence;
  /** RFC 3339 by the owner's clock, for people. */
  readonly created: string;
}

/** The whole file is read and written in one go, and anything longer is not ours. */
export const longestContent = 4096;

/** The first line is the process id, as the original writes it and as `cat` shows it first. */
export function formatLockContent(record: LockRecord): string {
  return formatFields(record);
}

function formatFields(record: Pick<LockRecord, "owner" | "fence">): string {
  const { others = [], ...first } = record.fence ?? {};
  const written = others.length === 0 ? record : { ...record, fence: [first, ...others] };
  return `${record.owner.pid}\n${JSON.stringify(written)}\n`;
}

/**
 * The content of a lock while it is claimed and when it is held. What differs is filled up with blanks, so
 * that every byte of the one lies where it does in the other: the one is written over the other, and who
 * reads in that very moment finds a mixture in which only the state may be nonsense.
 */
export function formatLockPair(claim: LockRecord, held: LockRecord): { claim: string; held: string } {
  const [ofClaim, ofHeld] = [claim, held].map(splitRecord) as [SplitRecord, SplitRecord];
  const joined = ({ common, changing }: SplitRecord, other: SplitRecord) => {
    const padded = changing.map((field, index) => field.padEnd(other.changing[index]?.length ?? 0));
    return `${common.slice(0, -"}\n".length)},${padded.join(",")}}\n`;
  };
  return { claim: joined(ofClaim, ofHeld), held: joined(ofHeld, ofClaim) };
}

interface SplitRecord {
  readonly common: string;
  /** The fields that a promotion changes; they come last. */
  readonly changing: readonly string[];
}

function splitRecord({ state, hb, ttl, ...common }: LockRecord): SplitRecord {
  return { common: formatFields(common), changing: [`"state":"${state}"`, `"hb":${hb}`, `"ttl":${ttl}`] };
}

/**
 * Reads the second line of a lock file. Undefined is a foreign lock: written by another program, by a
 * later version, or by hand. It is respected and never touched.
 */
export function parseLockRecord(line: string): LockRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const joined = isObject(value) ? withFencesJoined(value) : undefined;
  return isLockRecord(joined) ? joined : undefined;
}

/** In the file the places of several hosts are one list. Undefined: what is written there makes no sense. */
function withFencesJoined(value: Record<string, unknown>): Record<string, unknown> | undefined {
  const { fence } = value;
  if (!Array.isArray(fence)) return isObject(fence) && "others" in fence ? undefined : value;
  const [first, ...others] = fence as unknown[];
  if (others.length === 0 || ![first, ...others].every((place) => isHoldPlace(place) && !("others" in place))) {
    return undefined;
  }
  return { ...value, fence: { ...(first as HoldPlace), others } };
}

function isLockRecord(value: unknown): value is LockRecord {
  if (!isObject(value) || value["v"] !== 1) return false;
  const { token, state, rank, owner, job, run, hb, ttl, hold, unfenced, fence, created } = value;
  return (
    typeof token === "string" &&
    tokenPattern.test(token) &&
    (state === "claim" || state === "held") &&
    [rank, job, run, created].every((field) => typeof field === "string") &&
    [hb, ttl].every((field) => typeof field === "number" && field >= 0) &&
    typeof hold === "boolean" &&
    (unfenced === undefined || unfenced === true) &&
    (fence === undefined || isHoldPlace(fence)) &&
    isObject(owner) &&
    ["inst", "name", "host", "machine", "boot"].every((field) => typeof owner[field] === "string") &&
    ["pid", "start"].every((field) => typeof owner[field] === "number") &&
    ["string", "undefined"].includes(typeof owner["pidns"])
  );
}

function isHoldPlace(value: unknown): value is HoldPlace {
  if (!isObject(value)) return false;
  const { host, user, port, path } = value;
  return (
    (host === null || typeof host === "string") &&
    ["string", "undefined"].includes(typeof user) &&
    ["number", "undefined"].includes(typeof port) &&
    typeof path === "string" &&
    holdPathPattern.test(path)
  );
}

/** As hold-plan.ts makes it. Something is written there: a lock file of anybody's must not name any other file. */
const holdPathPattern = /^\/(?:[^\0\n]*\/)?[0-9a-f]{32}\.hold$/;

const tokenPattern = /^[A-Za-z0-9_-]{22,64}$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Orders two claims that met. Whoever has lost more often comes first (hex of 65535 − attempts, at most
 * 15 of them counted), then the token decides, so that no two ranks are equal.
 */
export function makeRank(attempts: number, token: string): string {
  return (65_535 - Math.min(attempts, 15)).toString(16) + token;
}
