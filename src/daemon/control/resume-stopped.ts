import { chownSync, statSync } from "node:fs";
import { describeError, OperatorError } from "../../base/errors.ts";
import type { Environment } from "../../config/interpolate.ts";
import type { Config } from "../../config/resolved.ts";
import { pausesFile, pidFile } from "../paths.ts";
import { claimPidFile } from "../pid-file.ts";
import { type PausedJobs, readPauses, writePauses } from "./pauses-file.ts";

/**
 * Ends the pause of a job where no director runs that could be asked; none can start meanwhile. Resolves to whether it was
 * paused. Throws an `OperatorError` when there is no such job, a director runs after all, or the pauses cannot be read or written.
 */
export async function resumeStopped(config: Config, jobId: string, env: Environment): Promise<boolean> {
  const ids = config.jobs.map(({ id }) => id);
  if (!ids.includes(jobId)) {
    throw new OperatorError(`the configuration has no job ${JSON.stringify(jobId)}; it has ${ids.join(", ")}`);
  }
  const instance = await claimPidFile(pidFile(config, env), process.pid);
  try {
    const file = pausesFile(config, env);
    const pauses = new Map(readPauses(file));
    if (!pauses.delete(jobId)) return false;
    rewrite(file, pauses);
    return true;
  } finally {
    await instance.release();
  }
}

function rewrite(file: string, pauses: PausedJobs): void {
  try {
    const { uid, gid } = statSync(file);
    writePauses(file, pauses);
    // The director's account has to be able to read what root has written.
    if (pauses.size > 0 && process.geteuid?.() === 0) chownSync(file, uid, gid);
  } catch (error) {
    throw new OperatorError(`${file} cannot be written, so that the pause goes on: ${describeError(error)}`, {
      cause: error,
    });
  }
}
