import { posix } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { LockAllowances } from "../../config/resolved.ts";
import type {
  AcquireRequest,
  AcquireResult,
  DirectoryAbilities,
  LockTransport,
  ProbeAnswer,
} from "./lock-transport.ts";
import { flawOfPath } from "./script-transport.ts";

/** What the locks of a directory must not depend on, in words for the operator; `key`: what would allow it. */
export interface DirectoryFlaw {
  readonly message: string;
  readonly key?: "allow_unsafe_directory" | "allow_network_filesystem";
}

/** Names that `stat -f` has for file systems on which a lock here may not be one there. */
const networkFileSystem =
  /^(?:nfs|smb|cifs|afs|ceph|lustre|gpfs|gfs|ocfs2|panfs|fhgfs|coda|ncp|v9fs|9p|prl_fs|vboxsf|fuse$)/;

const everybodyMayWrite = 0o002;

/** Why no locks can be kept in a directory; nothing: they can. */
export function findDirectoryFlaws(found: DirectoryAbilities): DirectoryFlaw[] {
  const flaws: DirectoryFlaw[] = [];
  if (!found.exclusive)
    flaws.push({ message: "there two may create the same file, and both are told that it was new" });
  if (found.mode === "full" && found.flock !== true) flaws.push({ message: "flock(1) does not work there" });
  if (found.mode === "full" && !found.hardLinks) flaws.push({ message: "hard links do not work there" });
  if (networkFileSystem.test(found.fileSystem)) {
    const message = `it is on a network file system (${found.fileSystem}), where locks of two hosts may not exclude each other`;
    flaws.push({ message, key: "allow_network_filesystem" });
  }
  if ((found.permissions & everybodyMayWrite) !== 0) {
    const mode = found.permissions.toString(8).padStart(4, "0");
    flaws.push({ message: `everybody may write there (mode ${mode})`, key: "allow_unsafe_directory" });
  }
  const { uid, linkUid, accountUid } = found;
  const isStranger = (owner: number) => owner !== 0 && owner !== accountUid;
  const nobodyKnown = `, who is neither root nor the account that locks there (${accountUid})`;
  if (isStranger(uid))
    flaws.push({ message: `it belongs to user ${uid}${nobodyKnown}`, key: "allow_unsafe_directory" });
  if (linkUid !== undefined && isStranger(linkUid)) {
    const message = `it is a symbolic link of user ${linkUid}${nobodyKnown}`;
    flaws.push({ message, key: "allow_unsafe_directory" });
  }
  return flaws;
}

/**
 * Whether the host has no flock at all, so that its locks have to go another way. Where one directory alone is to blame
 * the others keep theirs: what a shell has locked cannot be given back over sftp.
 */
export function hasNoFlock(answer: ProbeAnswer): boolean {
  return answer.kind === "probed" && answer.flock === false && answer.flockElsewhere !== true;
}

/** Whether a reboot of the host takes the locks away, be their owners alive or not. */
export function isVolatile({ fileSystem }: DirectoryAbilities): boolean {
  return fileSystem === "tmpfs" || fileSystem === "ramfs";
}

/** Whether the lock file's own configuration puts up with a flaw. */
export function isAllowed({ key }: DirectoryFlaw, allows: LockAllowances | undefined): boolean {
  if (key === "allow_unsafe_directory") return allows?.unsafeDirectory === true;
  return key === "allow_network_filesystem" && allows?.networkFileSystem === true;
}

/** A directory that passed is tried again after a day: hosts are set up anew, and disks mounted. */
const probeEveryMs = 86_400_000;

/**
 * Lets nobody claim a lock in a directory before it was tried whether locks work there, and never where
 * they do not: what looks like a lock and is none is worse than a job that fails.
 */
export function createProbedTransport(deps: {
  transport: LockTransport;
  clock: Clock;
  allows: (directory: string) => LockAllowances | undefined;
  /** Told when a directory was tried; `refusal`: why no locks can be kept there. */
  onJudged?: (directory: string, refusal: string | undefined) => void;
}): LockTransport {
  const { transport, clock, allows, onJudged = () => undefined } = deps;
  const passedAt = new Map<string, number>();
  /** Resolves when no directory is being tried any more; undefined: none is. */
  let trying: Promise<void> | undefined;

  const isDue = (directory: string) => {
    const at = passedAt.get(directory);
    return at === undefined || clock.monotonic() - at >= probeEveryMs;
  };
  const judge = (directory: string, answer: ProbeAnswer | undefined) => {
    if (answer === undefined) return { kind: "unknown", detail: "no answer", mayHaveRun: false } as const;
    if (answer.kind === "unknown") return { ...answer, mayHaveRun: false };
    if (answer.kind === "error") return answer;
    const flaws = findDirectoryFlaws(answer).filter((flaw) => !isAllowed(flaw, allows(directory)));
    if (flaws.length === 0) {
      passedAt.set(directory, clock.monotonic());
      onJudged(directory, undefined);
      return undefined;
    }
    const words = flaws.map(({ message, key }) => (key === undefined ? message : `${message} (${key} would allow it)`));
    const detail = `no locks can be kept in ${directory}: ${words.join("; ")}`;
    onJudged(directory, detail);
    return { kind: "error", detail } as const;
  };
  /** The first reason against a claim in these directories. */
  const tryOut = async (directories: readonly string[], signal: AbortSignal) => {
    const answers = await transport.probe(directories, signal);
    return directories.map((directory, index) => judge(directory, answers[index])).find((why) => why !== undefined);
  };
  const acquire = async (request: AcquireRequest, signal: AbortSignal): Promise<AcquireResult> => {
    const paths = request.claims.map(({ path }) => path).filter((path) => flawOfPath(path) === undefined);
    const due = [...new Set(paths.map((path) => posix.dirname(path)))].filter(isDue);
    if (due.length === 0) return transport.acquire(request, signal);
    if (request.lookFirst === true) {
      // A directory that is not there yet, or not any more, is to be waited for: nothing is tried there.
      const all = [...request.claims.map(({ path }) => path), ...request.thenCheck];
      const looked = await transport.check(all, signal);
      if (looked.some(({ kind }) => kind !== "absent"))
        return { claims: request.claims.map(() => ({ kind: "not-tried" })), checks: [], promotions: [], looked };
    }
    let letOthersPass: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (letOthersPass = resolve));
    trying = mine;
    try {
      const why = await tryOut(due, signal);
      if (why !== undefined) return { claims: request.claims.map(() => why), checks: [], promotions: [] };
      // Handed over, but not waited for, before the others may pass: they come after it.
      return transport.acquire(request, signal);
    } finally {
      letOthersPass();
      if (trying === mine) trying = undefined;
    }
  };
  /** What was asked for after a claim that is still being prepared must not overtake it. */
  const inOrder = <T>(operate: () => Promise<T>): Promise<T> =>
    trying === undefined ? operate() : trying.then(operate);

  return {
    host: transport.host,
    acquire: (request, signal) => inOrder(() => acquire(request, signal)),
    check: (paths, signal) => inOrder(() => transport.check(paths, signal)),
    release: (locks, signal) => inOrder(() => transport.release(locks, signal)),
    beat: (locks, signal) => inOrder(() => transport.beat(locks, signal)),
    promote: (claims, signal) => inOrder(() => transport.promote(claims, signal)),
    break: (lock, signal) => inOrder(() => transport.break(lock, signal)),
    breakForeign: (lock, signal) => inOrder(() => transport.breakForeign(lock, signal)),
    fingerprint: (path, signal) => inOrder(() => transport.fingerprint(path, signal)),
    probe: (directories, signal) => inOrder(() => transport.probe(directories, signal)),
    holds: (paths, signal) => inOrder(() => transport.holds(paths, signal)),
    fence: (dead, signal) => inOrder(() => transport.fence(dead, signal)),
  };
}
