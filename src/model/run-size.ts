/** How much one successful run of a job did; for comparing it with others. */
export interface RunSize {
  /** What its syncs transferred; null: none of them said. */
  readonly bytes: number | null;
  /** Without the wait for the locks of others. */
  readonly durationMs: number;
}
