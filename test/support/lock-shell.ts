import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { readLockScript } from "../../src/lock/transport/lock-script.ts";
import { collectAnswers, frameOperation, newNonce } from "../../src/ssh/shell-protocol.ts";
import { waitUntil } from "./process-state.ts";

/** When a kept shell gets its helper, instead of beside its first change. */
export type Helper = "at once" | "never";

/** What is read behind the script says what a shell does when it is told that it is kept. */
export function wanting(helper: Helper): string {
  const whenReady = "rd_hire; while [ $rd_helper = starting ]; do rd_is_ready; done";
  return `rd_want_helper() { ${helper === "at once" ? whenReady : ":"}; }\n`;
}

/** A shell that knows the operations on locks, and stays. */
export interface LockShell {
  /** Resolves to the answers without the nonce; to undefined when the shell has ended before the end of them. */
  run(command: string): Promise<string[] | undefined>;
  /** Its helper; undefined when it has none. */
  helper(): Promise<number | undefined>;
  /** Resolves when it is there, with its process. */
  startedHelper(): Promise<number>;
  /** Closes its standard input, and resolves when it has ended. */
  end(): Promise<void>;
}

export interface LockShellOptions {
  /** Changes the script before it is read. */
  readonly alter?: (script: string) => string;
  /** Commands that are read behind it. */
  readonly more?: string;
  readonly command?: readonly [string, ...string[]];
}

export async function openLockShell(options: LockShellOptions = {}): Promise<LockShell> {
  const { alter = (script) => script, more = "", command = ["/bin/sh"] } = options;
  const [program, ...args] = command;
  const child = spawn(program, [...args, "-s"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(child, "close");
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  // What is written to a shell that has ended is lost, as it should be.
  child.stdin.on("error", () => undefined);
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.write(`${alter(await readLockScript())}\n${more}\n`);
  const helper = async () => {
    const children = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).split(" ");
    const pids = children.filter(Boolean).map(Number);
    const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    return pids.find((_, index) => names[index]?.startsWith("rsyncdirector-lock-helper"));
  };
  return {
    helper,
    startedHelper: async () => {
      let pid: number | undefined;
      await waitUntil("the helper is there", async () => (pid = await helper()) !== undefined);
      return pid!;
    },
    run: async (operation) => {
      const nonce = newNonce();
      const answers = () => collectAnswers(output, nonce);
      child.stdin.write(frameOperation(nonce, operation));
      const closed = new AbortController();
      const hasEnded = ended.then(() => closed.abort());
      while (answers() === undefined && !closed.signal.aborted) {
        await Promise.race([once(child.stdout, "data", { signal: closed.signal }).catch(() => undefined), hasEnded]);
      }
      return answers();
    },
    end: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** Resolves when there is no such process any more, or none that does anything. */
export function waitForEnd(pid: number): Promise<void> {
  return waitUntil(`process ${pid} has ended`, async () => {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tZ");
    return /^State:\s*[ZX]/m.test(status);
  });
}

/** An order to the helper (with the end of the name of the file, where that matters), and whether it has been carried out by then. */
export interface OrderMoment {
  readonly order: string;
  readonly after: boolean;
}

/** Changes the script so that the helper ends at that moment as if somebody had killed it. */
export function killHelper(moment: OrderMoment): (script: string) => string {
  return killAt(moment, "$$");
}

/** The same for the shell: its helper kills it. */
export function killShell(moment: OrderMoment): (script: string) => string {
  return killAt(moment, "getppid");
}

function killAt({ order, after }: OrderMoment, whom: string): (script: string) => string {
  const carryOut = "my $why = $orders{$name}->(map { hear() } 1 .. $count);";
  const [name = "", end = ""] = order.split(" ");
  const death = `kill 9, ${whom} if $name eq "${name}" and ($lines[0] // "") =~ /\\Q${end}\\E$/;`;
  const parts = ["my $why = $orders{$name}->(@lines);", death];
  const dying = ["my @lines = map { hear() } 1 .. $count;", ...(after ? parts : parts.toReversed())].join(" ");
  return (script) => {
    const altered = script.replace(carryOut, () => dying);
    if (altered === script) throw new Error("the helper is not as this test knows it");
    return altered;
  };
}
