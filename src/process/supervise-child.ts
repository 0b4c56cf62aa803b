import type { Readable } from "node:stream";
import { abortReasonOf, AbortReason, childController } from "../base/abort.ts";
import { formatDuration } from "../base/duration.ts";
import { createLineSplitter } from "./line-splitter.ts";
import type { OutputStream, ProcessEnd, ProcessOptions, ProcessResult } from "./process-contract.ts";
import { findMarked, startOf } from "./marked-processes.ts";
import { bytesMovedBy, livingMembers, signalGroup, signalProcess } from "./process-group.ts";
import { settlesWithin } from "./settles-within.ts";
import { watchForStall } from "./stall-watch.ts";
import { defaultStopGrace, stopProcessGroup, waitUntilGone } from "./stop-process.ts";
import type { StoppableGroup } from "./stop-process.ts";

/** The part of a child process that supervising it needs. */
export interface RunningChild {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  once(event: "exit", listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
  unref(): void;
}

const defaultDrainMs = 10_000;
/** Output that a stopped child wrote last is still in the pipe; more than that is not waited for. */
const lastWordsMs = 200;

/**
 * Sees a child that was just started through to the end of its whole process group. Has to be called
 * in the same turn as the spawn, or the exit may be missed.
 */
export async function superviseChild(child: RunningChild, options: ProcessOptions): Promise<ProcessResult> {
  const { clock, log, grace = defaultStopGrace, drainMs = defaultDrainMs } = options;
  const { group, endOf } = observeEnd(child, options.marks);
  const control = childController(options.signal);
  const stall = startStallWatch(child.pid, control, options);
  const guard = createGuard(() => control.abort(new AbortReason("cancelled", "a listener of its output failed")));
  const output = readOutput(child, options, { guard, sawOutput: () => stall?.sawOutput() });
  try {
    guard.call(() => options.onSpawn?.(child.pid));
    await Promise.race([group.leaderEnded, aborted(control.signal)]);
    stall?.stop();
    // Whoever ended before it was stopped has ended by itself.
    const stoppedBy = group.leaderIsRunning() ? abortReasonOf(control.signal) : null;
    const isGone =
      stoppedBy === null && (await endsByItself(group, output, { drainMs, clock, signal: control.signal }));
    const outputHeldOpen = stoppedBy === null && !output.isClosed();
    const survivors = isGone ? [] : await stopProcessGroup(group, { grace, hurry: options.hurry, clock, log });
    await settlesWithin(output.closed, lastWordsMs, { clock });
    const escaped = survivors.length === 0 && !output.isClosed();
    if (group.leaderIsRunning()) child.unref();
    guard.rethrow();
    return { ...endOf(), stoppedBy, survivors, leftBehind: stoppedBy === null && !isGone, outputHeldOpen, escaped };
  } finally {
    stall?.stop();
    control.dispose();
    output.stop();
  }
}

function observeEnd(
  child: RunningChild,
  marks: ProcessOptions["marks"],
): { group: StoppableGroup; endOf: () => ProcessEnd } {
  let end: ProcessEnd | undefined;
  const leaderEnded = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      end = code === null ? { kind: "signalled", signal: signal ?? "unknown" } : { kind: "exited", code };
      resolve();
    });
  });
  const since = marks === undefined ? 0 : startOf(child.pid);
  const strayed = () => (marks === undefined ? [] : findMarked(marks, since));
  let groupIsGone = false;
  const members = () => {
    if (groupIsGone) return [];
    const living = livingMembers(child.pid);
    // From here on its number may belong to somebody else's group.
    groupIsGone = end !== undefined && living.length === 0;
    return living;
  };
  const group: StoppableGroup = {
    leaderIsRunning: () => end === undefined,
    leaderEnded,
    living: () => [...new Set([...members(), ...strayed()])],
    signalLeader: (signal) => void signalProcess(child.pid, signal),
    signalGroup: (signal) => {
      const inGroup = new Set(members());
      if (!groupIsGone) signalGroup(child.pid, signal);
      for (const pid of strayed()) if (!inGroup.has(pid)) signalProcess(pid, signal);
    },
  };
  // A leader that hangs in the kernel has been sent SIGKILL and will get it as soon as it can.
  return { group, endOf: () => end ?? { kind: "signalled", signal: "SIGKILL" } };
}

interface Guard {
  call(listener: () => void): void;
  rethrow(): void;
}

/** A listener that throws is a bug of ours: the child is stopped first, then the bug is reported. */
function createGuard(onBug: () => void): Guard {
  let bug: { error: unknown } | undefined;
  return {
    call: (listener) => {
      if (bug !== undefined) return;
      try {
        listener();
      } catch (error) {
        bug = { error };
        onBug();
      }
    },
    rethrow: () => {
      if (bug !== undefined) throw bug.error;
    },
  };
}

interface Output {
  readonly closed: Promise<unknown>;
  isClosed(): boolean;
  stop(): void;
}

/** Reading is never paused: a full pipe would block the child, and every callback is done when it returns. */
function readOutput(
  child: RunningChild,
  { onLine, onChunk }: ProcessOptions,
  { guard, sawOutput }: { guard: Guard; sawOutput: () => void },
): Output {
  let open = 2;
  const read = (stream: OutputStream, readable: Readable) => {
    const splitter =
      onLine === undefined
        ? undefined
        : createLineSplitter((line, overwrites) => guard.call(() => onLine(stream, line, overwrites)));
    readable.on("data", (chunk: Buffer) => {
      sawOutput();
      if (onChunk !== undefined) guard.call(() => onChunk(stream, chunk));
      splitter?.push(chunk);
    });
    return new Promise<void>((resolve) => {
      readable.once("close", () => {
        splitter?.end();
        open -= 1;
        resolve();
      });
    });
  };
  return {
    closed: Promise.all([read("stdout", child.stdout), read("stderr", child.stderr)]),
    isClosed: () => open === 0,
    stop: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/** A grandchild may hold the output open, or just live on, for ever: it gets `drainMs` to end. */
async function endsByItself(
  group: StoppableGroup,
  output: Output,
  options: { drainMs: number; clock: ProcessOptions["clock"]; signal: AbortSignal },
): Promise<boolean> {
  const { drainMs, clock, signal } = options;
  const deadline = clock.monotonic() + drainMs;
  if (!(await settlesWithin(output.closed, drainMs, options))) return false;
  const living = await waitUntilGone(group, Math.max(0, deadline - clock.monotonic()), clock, signal);
  return living.length === 0;
}

function startStallWatch(pid: number, control: AbortController, options: ProcessOptions) {
  const { stallTimeoutMs: timeoutMs, clock } = options;
  if (timeoutMs === undefined) return undefined;
  const onStall = () =>
    control.abort(new AbortReason("stalled", `no output and no bytes for ${formatDuration(timeoutMs)}`));
  return watchForStall({ timeoutMs, clock, bytesMoved: () => bytesMovedBy(pid), onStall });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
