/** A program that is fed and listened to while it runs: the OpenSSH client that carries a shell. */
export interface KeptChild {
  /** Writes to its standard input; after its end nothing happens. */
  write(text: string): void;
  /** Ends it and everything it has started. */
  stop(): void;
  /** Resolves, never rejects, when it has ended: its exit code, or null when it was killed or never started. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly message: string }>;
}

/**
 * Starts a program without a shell and keeps it running until it ends or is stopped; it does not outlive
 * this process. The one implementation lives in `process/`, the only folder that spawns.
 */
export type StartChild = (
  command: readonly [file: string, ...args: string[]],
  listeners: { onOutput: (text: string) => void; onErrorOutput: (text: string) => void },
) => KeptChild;
