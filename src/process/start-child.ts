import { PassThrough } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { AbortReason } from "../base/abort.ts";
import { systemClock } from "../base/clock.ts";
import type { StartChild } from "../base/kept-child.ts";
import { silentLogger } from "../base/logger.ts";
import { baseEnvironment } from "./child-environment.ts";
import { isMainProcessOfUnit } from "./main-process-of-unit.ts";
import { runProcess } from "./run-process.ts";

const grace = { leaderMs: 1000, groupMs: 1000 };

/** Starts a program that is fed line by line, in the base environment and with the care of every other child. */
export const startChild: StartChild = ([file, ...args], { onOutput, onErrorOutput }) => {
  const stdin = new PassThrough();
  // The child may end while something is being written to it.
  stdin.on("error", () => undefined);
  const controller = new AbortController();
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  const listeners = { stdout: onOutput, stderr: onErrorOutput };
  const spec = { file, args, env: baseEnvironment(process.env), stdin: { stream: stdin } };
  const running = runProcess(spec, {
    signal: controller.signal,
    clock: systemClock,
    log: silentLogger,
    grace,
    drainMs: 1000,
    dieWithParent: !isMainProcessOfUnit(process.env),
    onChunk: (stream, chunk) => listeners[stream](decoders[stream].write(chunk)),
  });
  return {
    write: (text) => void (stdin.writable && stdin.write(text)),
    stop: () => controller.abort(new AbortReason("cancelled", "no longer needed")),
    ended: running.then((result) => {
      stdin.destroy();
      if (result.kind === "exited") {
        return { exitCode: result.code, message: `${file} ended with exit code ${result.code}` };
      }
      const message = result.kind === "signalled" ? `${file} was ended by ${result.signal}` : result.error.message;
      return { exitCode: null, message };
    }),
  };
};
