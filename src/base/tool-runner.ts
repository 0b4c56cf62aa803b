/** What a short-lived helper program (`ssh -G`, `ssh-keygen -F`, `systemd-notify`) answered. */
export interface ToolResult {
  /** null: it could not be started, was ended by a signal, or ran into its time limit. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a helper program to its end without a shell. It never rejects. The one implementation lives in
 * `process/`, the only folder that spawns; others get it handed in.
 */
export type RunTool = (
  command: readonly [file: string, ...args: string[]],
  options: { timeoutMs: number; input?: string; env?: Record<string, string> },
) => Promise<ToolResult>;
