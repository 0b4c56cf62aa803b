/** What is kept of changed files (docs/watching.md). Sizes are bytes. */
export interface TrackChanges {
  /** undefined: below the state directory. */
  readonly backupDir: string | undefined;
  /** undefined: in the backup directory. */
  readonly logFile: string | undefined;
  readonly diffTool: "builtin" | "diff";
  readonly maxFileSize: number;
  readonly logMaxSize: number;
  readonly logKeep: number;
  readonly keepLast: number;
  readonly keepMs: number;
  readonly maxSize: number;
}
