import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort } from "../test/support/sshd.ts";
import { untilAnswered } from "./director.ts";

/** Node that does nothing but answer: what the director could be at best. */
export interface BareServer {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** The arguments of Node for one that listens on this port. */
export function bareServerArgs(port: number, bytes = 2): string[] {
  return [join(import.meta.dirname, "bare-server.mjs"), String(port), String(bytes)];
}

/** `bytes`: how long each answer is. Resolves when it answers. */
export async function startBareServer(bytes = 2): Promise<BareServer> {
  const port = await freePort();
  const command = ["--pdeathsig", "TERM", process.execPath, ...bareServerArgs(port, bytes)];
  const child = spawn("setpriv", command, { stdio: "ignore" });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}/`;
  await untilAnswered(url);
  return {
    pid: child.pid ?? 0,
    url,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
