import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A shell over the plain ssh client that stays open: the shortest way to do things on another host in turn. */
export interface KeptShell {
  /** Resolves when the commands are done; rejects when they say anything else than `ok`. */
  run(commands: string): Promise<void>;
  close(): Promise<void>;
}

export async function openKeptShell([program, ...args]: readonly [string, ...string[]]): Promise<KeptShell> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  const run = async (commands: string) => {
    child.stdin.write(`${commands}\n`);
    const [answer] = (await once(lines, "line")) as [string];
    if (answer !== "ok") throw new Error(`the shell of the bench says ${answer}`);
  };
  await run("echo ok");
  return {
    run,
    close: async () => {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
    },
  };
}
