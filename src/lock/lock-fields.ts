import type { LogFields } from "../base/logger.ts";
import type { LockPlace } from "../model/run.ts";

/**
 * How a lock is named in a log line. Its token is no secret (people compare it with the file before they
 * remove one), but a field called `token` would be taken for one and hidden: here it is `lock`.
 */
export function lockFields(
  { jobId, runId }: { jobId: string; runId: string },
  { host, path }: LockPlace,
  token: string,
): LogFields {
  return { run: runId, job: jobId, ...(host === null ? {} : { host }), path, lock: token };
}
