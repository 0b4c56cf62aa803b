import { AbortReason } from "../base/abort.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import type { RunTool } from "../base/tool-runner.ts";
import { baseEnvironment } from "./child-environment.ts";
import type { OutputStream } from "./process-contract.ts";
import { runProcess } from "./run-process.ts";

/** Helper programs answer in a few lines; what goes beyond this is dropped. */
const longestAnswer = 1024 * 1024;
const grace = { leaderMs: 1000, groupMs: 1000 };

/**
 * Runs a helper program. It sees the base environment and, over it, what the caller names. A helper
 * that leaves processes behind does not get to keep them.
 */
export const runTool: RunTool = async ([file, ...args], { timeoutMs, input, env }) => {
  const answer: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
  let room = longestAnswer;
  const controller = new AbortController();
  const cancelTimer = systemClock.setTimer(timeoutMs, () =>
    controller.abort(new AbortReason("timed-out", `${file} took too long`)),
  );
  const result = await runProcess(
    {
      file,
      args,
      env: { ...baseEnvironment(process.env), ...env },
      ...(input === undefined ? {} : { stdin: { text: input } }),
    },
    {
      signal: controller.signal,
      clock: systemClock,
      log: silentLogger,
      grace,
      drainMs: 1000,
      onChunk: (stream, chunk) => {
        if (room > 0) answer[stream].push(chunk.subarray(0, room));
        room -= chunk.length;
      },
    },
  ).finally(cancelTimer);
  const stderr = Buffer.concat(answer.stderr).toString("utf8");
  return {
    exitCode: result.kind === "exited" && result.stoppedBy === null ? result.code : null,
    stdout: Buffer.concat(answer.stdout).toString("utf8"),
    stderr: result.kind === "not-started" ? result.error.message : stderr,
  };
};
