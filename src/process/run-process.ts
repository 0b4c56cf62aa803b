import { abortReasonOf } from "../base/abort.ts";
import type { AbortReason } from "../base/abort.ts";
import { coerceError } from "../base/errors.ts";
import { findProgram } from "./find-program.ts";
import type { ProcessOptions, ProcessResult, ProcessSpec } from "./process-contract.ts";
import { superviseChild } from "./supervise-child.ts";
import type { RunningChild } from "./supervise-child.ts";

/** Loads the process library, which the first child would otherwise wait for. */
export async function preloadProcessLibrary(): Promise<void> {
  await import("execa");
}

/**
 * Runs a child in a session of its own until it and everything in its process group have ended.
 * Never rejects because of what the child does; its output is streamed and never collected.
 */
export async function runProcess(spec: ProcessSpec, options: ProcessOptions): Promise<ProcessResult> {
  const { execa } = await import("execa");
  if (options.signal.aborted) {
    const reason = abortReasonOf(options.signal);
    return notStarted(reason, reason);
  }
  const [file, ...args] = options.dieWithParent === true ? bindToParent(spec) : [spec.file, ...spec.args];
  if (file === undefined) return notStarted(notFound(spec), null);
  const child = execa(file, args, {
    env: { ...spec.env },
    extendEnv: false,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    ...standardInput(spec.stdin),
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
  });
  if (child.pid === undefined) {
    const { cause, shortMessage } = await child;
    return notStarted(cause === undefined ? new Error(shortMessage) : coerceError(cause), null);
  }
  return superviseChild(child as unknown as RunningChild, options);
}

function standardInput(stdin: ProcessSpec["stdin"]) {
  if (typeof stdin !== "object") return { stdin: "ignore" as const };
  return { input: "text" in stdin ? stdin.text : stdin.stream };
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
