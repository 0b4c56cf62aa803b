import { OperatorError } from "../../base/errors.ts";
import type { Config } from "../../config/resolved.ts";
import { type PausedJobs, readPauses } from "../control/pauses-file.ts";
import { pausesFile } from "../paths.ts";

/**
 * The pauses that are in force, for those who only look. A file that cannot be read says nothing here; the director
 * itself refuses to start with it.
 */
export function readPausesOf(
  config: Config,
  options: { env: Readonly<Record<string, string | undefined>>; now: number },
): PausedJobs {
  try {
    const pauses = readPauses(pausesFile(config, options.env));
    return new Map([...pauses].filter(([, { until }]) => until === null || until > options.now));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return new Map();
  }
}
