import type { Watch } from "../../src/config/resolved.ts";

/** A watch of nothing yet that hands on at once; a test names only what it is about. */
export function buildWatch(overrides: Partial<Watch> = {}): Watch {
  return {
    paths: [],
    debounceMs: 0,
    maxDelayMs: 1000,
    maxBatch: 10_000,
    extensions: [],
    include: [],
    exclude: [],
    fullSyncIntervalMs: 3_600_000,
    fullSyncThreshold: 20_000,
    onStart: "full",
    deleteWatched: false,
    deleteOnFull: false,
    ...overrides,
  };
}
