import type { LockRecord } from "../lock-record.ts";

/** A lock to be taken. */
export interface Claim {
  readonly path: string;
  readonly token: string;
  /** Two lines, each ended by a newline, which contain the token (lock-record.ts). */
  readonly content: string;
}

/** A lock that was, or may have been, taken with this token. */
export interface OwnLock {
  readonly path: string;
  readonly token: string;
  /**
   * No writer was let in with this token, and none is on its way, or a person has made sure that none is left: the lock
   * may be given back although a writer of somebody else, whose lock was removed by hand, has its hold file locked, and
   * where nobody can look at that. Of no meaning but for `release`.
   */
  readonly withoutWriters?: boolean;
  /**
   * Asked before the lock is removed where a removal has no condition (sftp): one that got no answer may still
   * run when the path is another's, and so only one is ever sent. False: it was sent already.
   */
  readonly mayUnlink?: () => Promise<boolean>;
  /** The removal was answered, one way or the other: none is under way, and it may be tried again. */
  readonly unlinkAnswered?: () => void;
}

/** A lock that gets a sign of life. */
export interface BeatenLock extends OwnLock {
  /** One line to be put beside it at `<path>.status`, where the way to the host can (lock-status.ts). */
  readonly status?: string | undefined;
}

/** What lies at the path of a lock. */
export interface FoundLock {
  /** The file's first line: the process id of the owner, if the file is well-formed. */
  readonly owner: string;
  /** null: a foreign lock, which is respected all the same. */
  readonly record: LockRecord | null;
  /** Seconds since the file was last touched, by the clock of the lock's host. */
  readonly ageSeconds: number;
  /** When it was last touched, in whole seconds by the clock of the lock's host. Compare it for equality only. */
  readonly mtime: number;
}

/** Nobody can say what is there or what was done. `mayHaveRun`: the operation was sent, or may have been. */
export interface Unknown {
  readonly kind: "unknown";
  readonly detail: string;
  readonly mayHaveRun: boolean;
}

/** The host answered that it cannot be done: a missing directory, a symlink, no permission, … */
export interface Refused {
  readonly kind: "error";
  readonly detail: string;
}

/** Another operation on this lock has been under way for longer than one may take. Nothing was done. */
export interface Busy {
  readonly kind: "busy";
}

export type AcquireAnswer =
  /** `already`: its token was there before, by a claim of this path or of another name of the same file. */
  | { readonly kind: "acquired"; readonly already?: true }
  | { readonly kind: "held"; readonly found: FoundLock }
  /** A claim before this one did not succeed, so this one was left alone. */
  | { readonly kind: "not-tried" }
  | Busy
  | Refused
  | Unknown;

export type CheckAnswer =
  { readonly kind: "absent" } | { readonly kind: "held"; readonly found: FoundLock } | Refused | Unknown;

export type ReleaseAnswer =
  | { readonly kind: "released" }
  /** There is no file (any more). */
  | { readonly kind: "absent" }
  /** Somebody else's file is there; it was not touched. */
  | { readonly kind: "lost"; readonly found: FoundLock }
  /** `<path>.hold` is locked: a writer still writes, or is about to, what the lock protects. The lock stays. */
  | { readonly kind: "in-use" }
  | Busy
  | Refused
  | Unknown;

export type BeatAnswer =
  | { readonly kind: "beaten" }
  /** There is no file any more. It MUST NOT be made again. */
  | { readonly kind: "absent" }
  /** Somebody else's file is there; it was not touched. */
  | { readonly kind: "lost"; readonly found: FoundLock }
  | Busy
  | Refused
  | Unknown;

export type PromoteAnswer =
  | { readonly kind: "promoted" }
  | { readonly kind: "absent" }
  | { readonly kind: "lost"; readonly found: FoundLock }
  | Busy
  | Refused
  | Unknown;

/** A lock of ours in format (a record was read from it) that is to be moved aside. */
export interface StaleLock {
  readonly path: string;
  /** Never empty: a foreign lock has no token, and must not be taken for one that has. */
  readonly token: string;
  /** `FoundLock.mtime` as it was observed. */
  readonly mtime: number;
}

/** A lock of another program. */
export interface ForeignLock {
  readonly path: string;
  /** SHA-256 of the whole content, 64 hex digits, as `fingerprint` answers it. */
  readonly sha256: string;
  readonly mtime: number;
}

export type BreakAnswer =
  /** It was renamed to `<path>.broken.<token>`. */
  | { readonly kind: "broken" }
  | { readonly kind: "absent" }
  /** Another lock is there, or it has been touched since. */
  | { readonly kind: "changed"; readonly found: FoundLock }
  /** `<path>.hold` is locked: somebody still writes what the lock protects. */
  | { readonly kind: "in-use" }
  /** This way to the host cannot break locks safely (sftp only). */
  | { readonly kind: "unsupported"; readonly detail: string }
  | Busy
  | Refused
  | Unknown;

export type FingerprintAnswer =
  | { readonly kind: "absent" }
  | { readonly kind: "fingerprint"; readonly sha256: string; readonly found: FoundLock }
  | { readonly kind: "unsupported"; readonly detail: string }
  | Refused
  | Unknown;

/** What a directory for locks is good for, tried and not assumed. */
export interface DirectoryAbilities {
  readonly kind: "probed";
  /** `full`: claims, leases and breaking; `sftp`: claims and leases, nobody ever breaks. */
  readonly mode: "full" | "sftp";
  /** A second exclusive creation of the same name fails. */
  readonly exclusive: boolean;
  /** A second hard link to the same name fails, and the first succeeds. */
  readonly hardLinks: boolean;
  /** A second flock of the same file fails; null: cannot be tried on this way. */
  readonly flock: boolean | null;
  /** flock works on that host, only not in this directory. */
  readonly flockElsewhere?: true;
  /** As `stat -f` calls it; empty: unknown. */
  readonly fileSystem: string;
  /** Owner's user id. Of a link this and the permissions are those of the directory that it leads to. */
  readonly uid: number;
  /** Whose the link is, where the directory is one: he can lead it elsewhere. */
  readonly linkUid?: number;
  /** User id of the account that looks (`id -u`). */
  readonly accountUid: number;
  /** Permission bits, such as 0o755. */
  readonly permissions: number;
  /** The host's clock, in seconds since 1970. */
  readonly nowSeconds: number;
}

export type ProbeAnswer = DirectoryAbilities | Refused | Unknown;

/** Whether any process has a hold file locked, that is: whether a writer still lives on that host. */
export type HoldAnswer =
  | {
      readonly kind: "free" | "in-use";
      /** The account may lock the file, but not write into it. */
      readonly readOnly?: true;
    }
  | (Refused & { readonly noDirectory?: true })
  | Unknown;

export type FenceAnswer =
  /** No writer is let in any more with that token by whoever takes this hold. */
  | { readonly kind: "fenced" }
  /** Somebody has the hold file locked; nothing was written. */
  | { readonly kind: "in-use" }
  /** This way to the host cannot reach kernel locks (sftp only). */
  | { readonly kind: "unsupported"; readonly detail: string }
  | Refused
  | Unknown;

/**
 * Operations on the lock files of one host. Nothing rejects: whatever happens is an answer. What every
 * transport promises is checked by the contract suite in test/contract/.
 *
 * - A lock file MUST appear with its whole content or not at all, and of any number of simultaneous
 *   claims of one path exactly one MUST be answered `acquired`.
 * - `absent` MUST mean that the host said so in a successful operation and that the directory is there.
 *   Whatever cannot be told is `unknown` or `error`, never `absent`.
 * - A symbolic link, a directory, a device or a FIFO at the path MUST be `error`.
 * - A file MUST be removed only if it carries the given token, checked and removed under one guard. The
 *   same holds for touching it, for replacing its content, and for moving it aside.
 * - Every operation MUST be answered in bounded time, also when the host falls silent.
 * - `mayHaveRun: false` MUST be said only when the operation cannot be carried out later either.
 * - When `signal` is aborted an operation that was not sent yet MUST NOT be sent any more. One that was
 *   sent goes on; callers that do not want to wait for it stop listening.
 * - Operations that were sent MUST be carried out in the order of the calls, as long as none of them is
 *   `unknown`.
 */
export interface LockTransport {
  /** How the operator calls the host; null is this one. */
  readonly host: string | null;
  /**
   * Takes the claims one after the other, stopping at the first that does not succeed. A claim whose
   * token is already at its path is `acquired`, and says so. If all succeed, the further paths are looked at in the
   * same trip, after the last claim; otherwise `checks` is empty. If each of those is absent, or carries
   * the token of the first claim, `thenPromote` follows, still in the same trip; otherwise, and without
   * `thenPromote`, `promotions` is empty. A transport that needs further trips for it may leave
   * `thenPromote` undone: the caller promotes what was not promoted. With `lookFirst` nothing is claimed while
   * anything is seen at any of these paths: then `looked` says what, and each claim is `not-tried`.
   */
  acquire(request: AcquireRequest, signal: AbortSignal): Promise<AcquireResult>;
  /** Looks at many paths in one trip; one answer per path, in the same order. */
  check(paths: readonly string[], signal: AbortSignal): Promise<readonly CheckAnswer[]>;
  /**
   * Gives locks back, each only if its token is at its path; one answer per lock, in the same order. A lock
   * whose writers hold a kernel lock MUST NOT be removed while `<path>.hold` is locked, nor without keeping it
   * locked meanwhile; one that is only claimed has no writers. Who cannot look at kernel locks answers `error` where a
   * shell has taken it.
   */
  release(locks: readonly OwnLock[], signal: AbortSignal): Promise<readonly ReleaseAnswer[]>;
  /**
   * Touches locks as a sign of life, each only if its token is at its path; the time is that of the
   * lock's host. All in one trip, one answer per lock, in the same order. A status that cannot be written
   * changes nothing; it goes with the lock.
   */
  beat(locks: readonly BeatenLock[], signal: AbortSignal): Promise<readonly BeatAnswer[]>;
  /**
   * Replaces the whole content of own locks, each only if its token is at its path; `content` contains
   * the same token and is as long, in bytes, as the content that is there. Counts as a beat. Readers see the old content or the new one.
   */
  promote(claims: readonly Claim[], signal: AbortSignal): Promise<readonly PromoteAnswer[]>;
  /**
   * Moves a lock of a dead owner aside. MUST do so only if, under the guard, its token and mtime are those
   * given and `<path>.hold` is not locked, MUST keep that locked while it does, and MUST refuse an empty token
   * with `error`. No clock is asked: that the lock is stale is for the caller to know.
   */
  break(lock: StaleLock, signal: AbortSignal): Promise<BreakAnswer>;
  /** As `break`, for a file of any content, told by its hash; only for those whom the operator told to. */
  breakForeign(lock: ForeignLock, signal: AbortSignal): Promise<BreakAnswer>;
  /** Reads the whole file, to be able to break it. */
  fingerprint(path: string, signal: AbortSignal): Promise<FingerprintAnswer>;
  /** Tries what locks need in these directories; one answer each, in the same order. Leaves nothing behind. */
  probe(directories: readonly string[], signal: AbortSignal): Promise<readonly ProbeAnswer[]>;
  /**
   * Whether these hold files are locked; one answer per path, in the same order. Creates those that are
   * missing. `error`: no hold lock can be taken there by this account, `free` and `in-use`: it can.
   */
  holds(paths: readonly string[], signal: AbortSignal): Promise<readonly HoldAnswer[]>;
  /**
   * Writes into a hold file, while nobody else has it locked, that a token is dead (`OwnLock.path` is the hold
   * file). For a lock on another host than its hold, before it is broken or given back.
   */
  fence(dead: OwnLock, signal: AbortSignal): Promise<FenceAnswer>;
}

export interface AcquireRequest {
  readonly claims: readonly Claim[];
  readonly thenCheck: readonly string[];
  /** The claims again, with the content they get when nothing is in the way. */
  readonly thenPromote?: readonly Claim[];
  /** Looks at the paths of the claims and at the further ones before anything is claimed. */
  readonly lookFirst?: boolean;
}

export interface AcquireResult {
  readonly claims: readonly AcquireAnswer[];
  readonly checks: readonly CheckAnswer[];
  /** As long as `thenPromote`, or empty: nothing was tried. */
  readonly promotions: readonly PromoteAnswer[];
  /** One answer for each claim's path and then for each of `thenCheck`, from before any claim; only if nothing was claimed. */
  readonly looked?: readonly CheckAnswer[];
}
