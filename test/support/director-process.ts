import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findProgram } from "../../src/process/find-program.ts";

/** One line of a director's JSON log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface DirectorProcess {
  readonly pid: number;
  /** Every log line so far; a line that is not JSON has its text as `msg`. */
  readonly lines: readonly LogLine[];
  /** What it wrote to standard error. */
  errors(): string;
  onLine(listener: (line: LogLine) => void): void;
  /**
   * The first line, from `since` on (an index of `lines`), that fits. Rejects when the director ends or
   * the time is up before there is one.
   */
  waitForLine(fits: (line: LogLine) => boolean, options?: { since?: number; timeoutMs?: number }): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Its exit status, or the name of the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
}

export const builtProgram = join(import.meta.dirname, "..", "..", "dist", "main.js");

/**
 * Starts the built program as a daemon, as systemd would; `args` are those of the command line. `inside`: a
 * command that becomes another one elsewhere, such as `ip netns exec NAME`.
 */
export function startDirectorProcess(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; program?: string; inside?: readonly string[] | undefined } = {},
): DirectorProcess {
  const { program = builtProgram, inside = [] } = options;
  // It stops in good order also when the process that started it dies (PR_SET_PDEATHSIG).
  const setpriv = findProgram("setpriv", process.env["PATH"] ?? "") ?? "setpriv";
  const child = spawn(setpriv, ["--pdeathsig", "TERM", ...inside, process.execPath, program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.env ?? process.env,
    cwd: options.cwd,
  });
  const lines: LogLine[] = [];
  const listeners = new Set<(line: LogLine) => void>();
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = parseLine(text);
    lines.push(line);
    for (const listener of listeners) listener(line);
  });
  const exited = exitOf(child);
  return {
    pid: child.pid ?? 0,
    lines,
    errors: () => errors,
    onLine: (listener) => void listeners.add(listener),
    waitForLine: (fits, { since = 0, timeoutMs = 60_000 } = {}) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => {
          settle();
          reject(new Error(`${why}\n${lines.map((line) => JSON.stringify(line)).join("\n")}\n${errors}`));
        };
        const look = (line: LogLine) => {
          if (!fits(line)) return;
          settle();
          resolve(line);
        };
        const timer = setTimeout(() => fail(`no such log line within ${timeoutMs} ms:`), timeoutMs);
        const settle = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        listeners.add(look);
        void exited.then((code) => fail(`the director ended with ${code}:`));
        const earlier = lines.slice(since).find(fits);
        if (earlier !== undefined) look(earlier);
      }),
    signal: (name) => void child.kill(name),
    exited,
  };
}

async function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return code ?? signal ?? 1;
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "msg" in value) return value as LogLine;
  } catch {
    // Not every line has to be JSON; it is kept as it is.
  }
  return { msg: text };
}
