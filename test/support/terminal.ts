import { once } from "node:events";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { makeTempDir } from "./temp-dir.ts";

/** Why there is no terminal to try something in; undefined: there is one. */
export function whyNoTerminal(): string | undefined {
  return findProgram("tmux", process.env["PATH"] ?? "") === undefined ? "tmux is not installed" : undefined;
}

/** A real terminal with a shell in it, such as a person has before them. */
export interface Terminal {
  /** What is to be seen; `colours`: with the codes that make it so. */
  screen(options?: { colours?: boolean }): Promise<string>;
  /** Types a line and the enter key. */
  type(line: string): Promise<void>;
  /** Presses a key by tmux's name for it, such as `C-c`. */
  press(key: string): Promise<void>;
  resize(size: { columns: number; rows: number }): Promise<void>;
  /** Resolves with the screen as soon as it fits. */
  waitFor(fits: RegExp): Promise<string>;
  /** Whether a program has the screen to itself, and whether the cursor is to be seen. */
  modes(): Promise<{ alternate: boolean; cursor: boolean }>;
}

const patienceMs = 120_000;

/** Opens a terminal of that size; it is closed, with all that runs in it, when the test ends. */
export async function openTerminal({
  columns,
  rows,
  env = {},
}: {
  columns: number;
  rows: number;
  env?: Record<string, string>;
}): Promise<Terminal> {
  const directory = await makeTempDir();
  const socket = join(directory, "tmux");
  const tmux = async (...args: string[]) => (await execa("tmux", ["-S", socket, "-f", "/dev/null", ...args])).stdout;
  const variables = Object.entries({ PS1: "> ", ...env }).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const size = ["-x", String(columns), "-y", String(rows)];
  // In the foreground, so that its end can be awaited.
  const server = spawn("tmux", ["-S", socket, "-f", "/dev/null", "-D"], { stdio: "ignore" });
  const exited = once(server, "exit");
  onTestFinished(async () => {
    await tmux("kill-server").catch(() => server.kill("SIGKILL"));
    await exited;
  });
  await expect
    .poll(() => tmux("new-session", "-d", ...size, ...variables, "/bin/sh"), { timeout: patienceMs })
    .toBe("");
  const screen = ({ colours = false } = {}) => tmux("capture-pane", "-p", ...(colours ? ["-e"] : []));
  return {
    screen,
    type: async (line) => {
      await tmux("send-keys", "-l", line);
      await tmux("send-keys", "Enter");
    },
    press: async (key) => void (await tmux("send-keys", key)),
    resize: async (to) => void (await tmux("resize-window", "-x", String(to.columns), "-y", String(to.rows))),
    waitFor: async (fits) => {
      await expect.poll(screen, { timeout: patienceMs, interval: 100 }).toMatch(fits);
      return screen();
    },
    modes: async () => {
      const [alternate, cursor] = (await tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}")).split(" ");
      return { alternate: alternate === "1", cursor: cursor === "1" };
    },
  };
}
