import type { TrackedTree } from "../model/tracked-change.ts";
import type { Differ } from "./unified-diff.ts";

/** What is kept of the changes of one job. Sizes are bytes; both paths are absolute. */
export interface TrackingSettings {
  readonly backupDir: string;
  readonly logFile: string;
  readonly maxFileSize: number;
  readonly logMaxSize: number;
  readonly logKeep: number;
  readonly keepLast: number;
  readonly keepMs: number;
  readonly maxSize: number;
  readonly differ: Differ;
}

/** Who is told. The calls must not throw. */
export interface TrackingListeners {
  /** Changes were recorded. */
  readonly onRecorded?: ((of: TrackedTree & { runId: string }, files: number) => void) | undefined;
  /** Something could not be tracked; the copy itself is not hurt. */
  readonly onTrouble?: ((of: TrackedTree & { runId: string }, message: string) => void) | undefined;
  /** Told of each step before it is done; only tests listen. */
  readonly step?: ((name: string) => void) | undefined;
}
