/**
 * Remembers over the death of this process which tokens may be at a lock, so that the next life can give
 * those locks back. Kept in a file by intents.ts.
 */
export interface ClaimJournal {
  /** To be awaited before anything is claimed with the token: resolves when it is on the disk. Never rejects. */
  claiming(claim: { jobId: string; runId: string; token: string }): Promise<void>;
  /** Only the locks with these keys (`LockTarget.key`) may still carry the token; none: it is forgotten. */
  left(token: string, keys: readonly string[]): void;
  /**
   * To be awaited before a lock is removed where nothing makes the removal depend on the token: resolves to
   * whether none was sent yet, when it is on the disk that one is now.
   */
  unlinking(token: string, key: string): Promise<boolean>;
  /** The removal was answered, one way or the other: none is under way. */
  unlinkAnswered(token: string, key: string): void;
  /** This one is gone too. */
  gone(token: string, key: string): void;
}
