import type { LockRecord } from "./lock-record.ts";

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
}

/** What lies at the path of a lock. */
export interface FoundLock {
  /** The file's first line: the process id of the owner, if the file is well-formed. */
  readonly owner: string;
  /** null: a foreign lock, which is respected all the same. */
  readonly record: LockRecord | null;
  /** Seconds since the file was last touched, by the clock of the lock's host. */
  readonly ageSeconds: number;
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
  | { readonly kind: "acquired" }
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
  | Busy
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
 * - A file MUST be removed only if it carries the given token, checked and removed under one guard.
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
   * token is already at its path is `acquired`. If all succeed, the further paths are looked at in the
   * same trip, after the last claim; otherwise `checks` is empty.
   */
  acquire(
    request: { readonly claims: readonly Claim[]; readonly thenCheck: readonly string[] },
    signal: AbortSignal,
  ): Promise<{ readonly claims: readonly AcquireAnswer[]; readonly checks: readonly CheckAnswer[] }>;
  /** Looks at many paths in one trip; one answer per path, in the same order. */
  check(paths: readonly string[], signal: AbortSignal): Promise<readonly CheckAnswer[]>;
  /** Gives locks back, each only if its token is at its path; one answer per lock, in the same order. */
  release(locks: readonly OwnLock[], signal: AbortSignal): Promise<readonly ReleaseAnswer[]>;
}
