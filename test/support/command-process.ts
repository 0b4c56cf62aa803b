import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { builtProgram } from "./director-process.ts";

/** A command of the built program that goes on until something happens. */
export interface CommandProcess {
  stdout(): string;
  stderr(): string;
  /** Resolves when what it wrote, to either, fits; rejects when it ends without that. */
  waitFor(fits: RegExp): Promise<void>;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | NodeJS.Signals>;
}

export function startCommand(args: readonly string[], options: { env?: NodeJS.ProcessEnv } = {}): CommandProcess {
  const child = spawn(process.execPath, [builtProgram, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.env ?? process.env,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const text = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      for (const listener of listeners) listener();
    });
  }
  const exited = once(child, "close").then(([code, signal]) => (code ?? signal ?? 1) as number | NodeJS.Signals);
  return {
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    waitFor: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!fits.test(text.stdout) && !fits.test(text.stderr)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        void exited.then((code) => reject(new Error(`ended with ${code}:\n${text.stdout}\n${text.stderr}`)));
        look();
      }),
    signal: (name) => void child.kill(name),
    exited,
  };
}
