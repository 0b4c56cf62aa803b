import type { Client, ClientChannel } from "ssh2";
import type { CancelTimer, Clock } from "../base/clock.ts";

/** Standard input and output of a shell on another host. */
export interface ShellChannel {
  write(text: string): void;
  onOutput(listener: (text: string) => void): void;
  onErrorOutput(listener: (text: string) => void): void;
  /**
   * Calls the listener once when the shell or its connection has ended, at once if it has already;
   * `exited`: the program on the other side ended by itself, the connection is as good as before.
   */
  onClosed(listener: (exited: boolean) => void): void;
  close(): void;
}

/** The account was entered, and there is no shell to be had there. */
export class NoShell extends Error {
  override readonly name = "NoShell";
}

/**
 * The exact command for every host: the login shell may be csh or fish and only has to find this one
 * program; what follows on standard input is then plain POSIX.
 */
const shellCommand = "/bin/sh -s";

/**
 * A program that was killed by a signal says nothing about the account. It has no exit code then, or, behind a login shell
 * that starts it and waits (dash, fish, tcsh), 128 and the number of the signal. Bash ends with 254 when it cannot fork.
 */
export function tellsOfSignal(code: number): boolean {
  return code > 128 && code <= 128 + 64;
}

/** Starts the shell. ssh2 may never call back on a dying connection, hence the timer. */
export function openShellChannel(client: Client, timeoutMs: number, clock: Clock): Promise<ShellChannel> {
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.setTimer(timeoutMs, () => reject(new Error("no shell was given in time")));
    const fail = (error: Error) => {
      cancelTimer();
      reject(error);
    };
    client.once("close", () => fail(new Error("the connection was closed")));
    try {
      client.exec(shellCommand, (error, channel) => {
        if (error !== undefined) return fail(isDenied(error) ? new NoShell(error.message) : error);
        cancelTimer();
        resolve(wrapChannel(client, channel, clock));
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}

/** What ssh2 says when the request for a program, and not for the channel, was turned down. */
function isDenied(error: Error): boolean {
  return error.message.startsWith("Unable to exec");
}

/** So long after the end of a shell its channel may still bring what it has said. */
const lastWordsMs = 500;

function wrapChannel(client: Client, channel: ClientChannel, clock: Clock): ShellChannel {
  let exited: boolean | undefined;
  let cancelTimer: CancelTimer | undefined;
  const listeners: Array<(exited: boolean) => void> = [];
  const end = (byItself: boolean) => {
    if (exited !== undefined) return;
    exited = byItself;
    cancelTimer?.();
    for (const listener of listeners.splice(0)) listener(byItself);
  };
  channel.setEncoding("utf8");
  channel.stderr.setEncoding("utf8");
  let hasExited = false;
  channel.on("error", () => end(false));
  channel.once("exit", (code: number | null) => {
    hasExited = code !== null && !tellsOfSignal(code);
    // sshd may tell of the end before the last words, and a program that goes on may keep the channel open.
    cancelTimer = clock.setTimer(lastWordsMs, () => end(hasExited));
  });
  channel.once("close", () => end(hasExited));
  client.once("close", () => end(hasExited));
  return {
    write: (text) => void channel.write(text),
    // Both streams have to be read in any case, or the channel never closes.
    onOutput: (listener) => void channel.on("data", listener),
    onErrorOutput: (listener) => void channel.stderr.on("data", listener),
    onClosed: (listener) => void (exited === undefined ? listeners.push(listener) : listener(exited)),
    close: () => channel.close(),
  };
}
