import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { ShellChannel } from "./shell-channel.ts";
import { frameOperation, isEnd, newNonce, readAnswerLine } from "./shell-protocol.ts";

/**
 * Answers are what the operation printed; `unknown` says that it may or may not have been carried out.
 * `no-shell`: something else than a shell was at the other end, and has ended.
 */
export type ShellAnswer =
  | { readonly kind: "answered"; readonly lines: readonly string[] }
  | { readonly kind: "no-shell"; readonly detail: string }
  | { readonly kind: "unknown"; readonly detail: string };

/** One shell on another host, kept open: an operation costs one round trip. */
export interface RemoteShell {
  readonly broken: boolean;
  /**
   * Sends commands as one operation; operations are carried out one after the other in the order of
   * the calls. Never rejects. An operation that is not answered within its time, counted from its
   * turn, breaks the shell: everything that waits in it is unknown.
   */
  run(command: string): Promise<ShellAnswer>;
}

interface Operation {
  readonly nonce: string;
  readonly lines: string[];
  readonly settle: (answer: ShellAnswer) => void;
}

/** `prologue` is sent first, once: the functions that the operations call. */
export function createRemoteShell(deps: {
  channel: ShellChannel;
  prologue: string;
  operationTimeoutMs: number;
  clock: Clock;
  log: Logger;
  /**
   * Told once when the shell is of no more use; the connection must not be used again either, unless
   * there was no shell in the first place.
   */
  onBroken: (cause: string, how: "unknown" | "no-shell") => void;
}): RemoteShell {
  const { channel, clock, log } = deps;
  const pending: Operation[] = [];
  let cancelTimer: CancelTimer | undefined;
  let rest = "";
  let brokenBy: Exclude<ShellAnswer, { kind: "answered" }> | undefined;
  let everAnswered = false;
  let lastNoise = "";

  const breakDown = (detail: string, kind: "unknown" | "no-shell" = "unknown") => {
    if (brokenBy !== undefined) return;
    const answer = (brokenBy = { kind, detail });
    cancelTimer?.();
    for (const operation of pending.splice(0)) operation.settle(answer);
    deps.onBroken(detail, kind);
  };
  const armTimer = () => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (pending.length === 0) return;
    const seconds = deps.operationTimeoutMs / 1000;
    cancelTimer = clock.setTimer(deps.operationTimeoutMs, () => breakDown(`no answer within ${seconds} s`));
  };
  const heardNoise = (text: string) => {
    if (text.trim() === "") return;
    lastNoise = text.trim().slice(0, 200);
    log.debug({ text }, "output of a remote shell that is no answer");
  };
  const readLine = (line: string) => {
    const read = readAnswerLine(line);
    const operation = pending[0];
    if (read.kind === "noise" || operation?.nonce !== read.nonce) {
      heardNoise(line);
      return;
    }
    everAnswered = true;
    if (!isEnd(read.text)) return void operation.lines.push(read.text);
    pending.shift();
    armTimer();
    operation.settle({ kind: "answered", lines: operation.lines });
  };

  channel.onOutput((text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) readLine(line);
  });
  channel.onErrorOutput(heardNoise);
  channel.onClosed((exited) => {
    if (rest !== "") heardNoise(rest);
    const said = lastNoise === "" ? "" : `: ${lastNoise}`;
    if (everAnswered || (!exited && said === "")) breakDown("the connection was lost");
    else breakDown(`the shell ended${said}`, exited ? "no-shell" : "unknown");
  });
  channel.write(deps.prologue);

  return {
    get broken() {
      return brokenBy !== undefined;
    },
    run: (command) => {
      if (brokenBy !== undefined) return Promise.resolve(brokenBy);
      const nonce = newNonce();
      return new Promise((settle) => {
        pending.push({ nonce, lines: [], settle });
        if (pending.length === 1) armTimer();
        channel.write(frameOperation(nonce, command));
      });
    },
  };
}
