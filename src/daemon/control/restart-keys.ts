import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../config/resolved.ts";

/** What a director holds from its start to its end; the keys are those of the configuration file. */
const fixed: readonly (readonly [key: string, of: (config: Config) => unknown])[] = [
  ["rsync_id", ({ rsyncId }) => rsyncId],
  ["pid_file_dir", ({ pidFileDir }) => pidFileDir],
  ["state_dir", ({ stateDir }) => stateDir],
  ["metrics", ({ metrics }) => metrics],
  ["web", ({ web }) => web],
  ["lock.operation_timeout", ({ lockOperationTimeoutMs }) => lockOperationTimeoutMs],
];

/** The keys that differ, and that only a restart can change. */
export function keysThatNeedRestart(before: Config, after: Config): string[] {
  return fixed.filter(([, of]) => !isDeepStrictEqual(of(before), of(after))).map(([key]) => key);
}
