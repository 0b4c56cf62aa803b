import { type ChildProcess, spawn } from "node:child_process";
import { pipeline, type Writable } from "node:stream";
import { abortReasonOf } from "../base/abort.ts";
import type { AbortReason } from "../base/abort.ts";
import { coerceError } from "../base/errors.ts";
import { findProgram } from "./find-program.ts";
import type { ProcessOptions, ProcessResult, ProcessSpec } from "./process-contract.ts";
import { superviseChild } from "./supervise-child.ts";
import type { RunningChild } from "./supervise-child.ts";

/**
 * Runs a child in a session of its own until it and everything in its process group have ended.
 * Never rejects because of what the child does; its output is streamed and never collected.
 */
export async function runProcess(spec: ProcessSpec, options: ProcessOptions): Promise<ProcessResult> {
  if (options.signal.aborted) {
    const reason = abortReasonOf(options.signal);
    return notStarted(reason, reason);
  }
  const [file, ...args] = options.dieWithParent === true ? bindToParent(spec) : [spec.file, ...spec.args];
  if (file === undefined) return notStarted(notFound(spec), null);
  const child = start(file, args, spec);
  if (child instanceof Error) return notStarted(child, null);
  if (!isRunning(child)) return notStarted(await errorOf(child), null);
  // What may still go wrong with it, such as a signal that nobody gets, shows in how it ends.
  child.on("error", () => undefined);
  feed(child.stdin, spec.stdin);
  return superviseChild(child, options);
}

/** Node tells most failures by an event and throws the others: no memory, too long an argument, a NUL in one. */
function start(file: string, args: readonly string[], { env, cwd, stdin }: ProcessSpec): ChildProcess | Error {
  try {
    return spawn(file, args, {
      env: { ...env },
      cwd,
      stdio: [typeof stdin === "object" ? "pipe" : "ignore", "pipe", "pipe"],
      detached: true,
    });
  } catch (error) {
    return coerceError(error);
  }
}

function isRunning(child: ChildProcess): child is ChildProcess & RunningChild {
  return child.pid !== undefined;
}

function errorOf(child: ChildProcess): Promise<Error> {
  return new Promise((resolve) => child.once("error", resolve));
}

/** A child that ends, or closes its input, before it has read everything has done nothing wrong. */
function feed(input: Writable | null, from: ProcessSpec["stdin"]): void {
  if (input === null || typeof from !== "object") return;
  input.on("error", () => undefined);
  if ("text" in from) input.end(from.text);
  else pipeline(from.stream, input, () => undefined);
}

/**
 * Words that start a program under `setpriv --pdeathsig`, so that it gets SIGTERM when this process
 * dies, even by SIGKILL. Nothing when the program is not there: setpriv would report that by an exit
 * code that the program could have used itself.
 */
function bindToParent(spec: ProcessSpec): readonly string[] {
  const path = spec.env["PATH"] ?? "";
  const setpriv = findProgram("setpriv", path);
  if (setpriv === undefined) return [spec.file, ...spec.args];
  if (findProgram(spec.file, path, spec.cwd) === undefined) return [];
  return [setpriv, "--pdeathsig", "TERM", "--", spec.file, ...spec.args];
}

function notFound(spec: ProcessSpec): Error {
  return Object.assign(new Error(`spawn ${spec.file} ENOENT`), { code: "ENOENT" });
}

function notStarted(error: Error, stoppedBy: AbortReason | null): ProcessResult {
  return {
    kind: "not-started",
    error,
    stoppedBy,
    survivors: [],
    leftBehind: false,
    outputHeldOpen: false,
    escaped: false,
  };
}
