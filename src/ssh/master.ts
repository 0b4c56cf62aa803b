import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { KeptChild, StartChild } from "../base/kept-child.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { askHello } from "./master-hello.ts";
import { classifyOpensshFailure } from "./openssh-failure.ts";
import { isOwnSocket, removeSocket } from "./socket-directory.ts";
import { masterCheckCommand, masterCommand, masterProbeCommand } from "./ssh-arguments.ts";

/** A client of OpenSSH that has logged in and lends its connection to others. */
export interface Master {
  readonly socket: string;
  readonly ended: boolean;
  /** Calls the listener once, when it has ended. */
  onEnded(listener: () => void): void;
  /** Whether the other side answers through it within `timeoutMs`. Never rejects. */
  answers(timeoutMs: number): Promise<boolean>;
  /** Milliseconds for a question and its answer; undefined: there was none within `timeoutMs`. */
  roundTrip(timeoutMs: number): Promise<number | undefined>;
  /** Ends it with every session it carries; resolves when it has ended and its socket is gone. */
  stop(): Promise<void>;
}

/** `refused`: for a person to put right. `unreachable` may pass by itself. */
export type MasterStart =
  | { readonly kind: "ready"; readonly master: Master }
  | { readonly kind: "refused" | "unreachable"; readonly message: string };

export interface MasterDeps {
  readonly runTool: RunTool;
  readonly startChild: StartChild;
  readonly clock: Clock;
  /** Milliseconds, for how long a round trip takes; the clock of everything else is not as fine. */
  readonly stopwatch?: () => number;
}

const loginMs = 20_000;
const helloMs = 5000;

/**
 * Starts a master and resolves when it has logged in and its socket answers. Never rejects; ends within the connect
 * timeout plus 25 s, and soon after the signal is aborted.
 */
export async function startMaster(
  endpoint: SshEndpoint,
  socket: string,
  deps: MasterDeps & { signal: AbortSignal },
): Promise<MasterStart> {
  const appeared = watchFor(socket);
  if ("problem" in appeared) return { kind: "unreachable", message: appeared.problem };
  let errorOutput = "";
  const child = deps.startChild(masterCommand(endpoint, socket), {
    onOutput: () => undefined,
    onErrorOutput: (text) => {
      errorOutput = (errorOutput + text).slice(-8192);
    },
  });
  try {
    const came = await comesUp(child, appeared, deps, endpoint.connectTimeoutMs + loginMs);
    if (came.kind === "came" && (await isListening(socket, deps.clock))) {
      return { kind: "ready", master: masterOf(endpoint, socket, child, deps) };
    }
    child.stop();
    await child.ended;
    await removeSocket(socket);
    const { kind, message } = classifyOpensshFailure(errorOutput, came.kind === "came" ? "no hello" : came.cause);
    return { kind, message };
  } finally {
    appeared.close();
  }
}

async function isListening(socket: string, clock: Clock): Promise<boolean> {
  return isOwnSocket(socket) && (await askHello(socket, { timeoutMs: helloMs, clock })) === "answers";
}

interface Appearance {
  readonly seen: Promise<void>;
  close(): void;
}

/** ssh makes the socket under another name and gives it its own when it listens, after the login (mux.c). */
function watchFor(socket: string): Appearance | { readonly problem: string } {
  let watcher: FSWatcher;
  try {
    watcher = watch(dirname(socket), { persistent: false });
  } catch (error) {
    return { problem: describeError(error) };
  }
  const name = basename(socket);
  const seen = new Promise<void>((resolve) => {
    watcher.on("change", (_, changed) => void (changed === name && isOwnSocket(socket) && resolve()));
  });
  // The master's end, or the limit, tells what went wrong then.
  watcher.on("error", () => undefined);
  return { seen, close: () => watcher.close() };
}

type CameUp = { readonly kind: "came" } | { readonly kind: "failed"; readonly cause: string };

function comesUp(
  child: KeptChild,
  { seen }: Appearance,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
  limitMs: number,
): Promise<CameUp> {
  return new Promise((resolve) => {
    const finish = (came: CameUp) => {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      resolve(came);
    };
    const onAbort = () => finish({ kind: "failed", cause: "given up" });
    signal.addEventListener("abort", onAbort);
    const cancelTimer = clock.setTimer(limitMs, () => finish({ kind: "failed", cause: "no answer in time" }));
    void seen.then(() => finish({ kind: "came" }));
    void child.ended.then(({ message }) => finish({ kind: "failed", cause: message }));
  });
}

function masterOf(endpoint: SshEndpoint, socket: string, child: KeptChild, deps: MasterDeps): Master {
  const { runTool, stopwatch = () => performance.now() } = deps;
  let ended = false;
  const gone = child.ended.then(async () => {
    ended = true;
    await removeSocket(socket);
  });
  const askThrough = async (timeoutMs: number) => {
    const result = await runTool(masterProbeCommand(endpoint, socket), { timeoutMs });
    return !ended && (result.exitCode === 0 || /stdio forwarding/i.test(result.stderr));
  };
  return {
    socket,
    get ended() {
      return ended;
    },
    onEnded: (listener) => void gone.then(listener),
    answers: askThrough,
    roundTrip: async (timeoutMs) => {
      // What the program itself costs is the same in both.
      const startedAt = stopwatch();
      const { exitCode } = await runTool(masterCheckCommand(endpoint, socket), { timeoutMs });
      const checkedAt = stopwatch();
      if (exitCode !== 0 || !(await askThrough(timeoutMs))) return undefined;
      return Math.max(0, stopwatch() - checkedAt - (checkedAt - startedAt));
    },
    stop: () => {
      child.stop();
      return gone;
    },
  };
}
