import type { Client, ClientChannel } from "ssh2";
import type { Clock } from "../base/clock.ts";

/** Standard input and output of a shell on another host. */
export interface ShellChannel {
  write(text: string): void;
  onOutput(listener: (text: string) => void): void;
  onErrorOutput(listener: (text: string) => void): void;
  /** Calls the listener once when the shell or its connection has ended, at once if it has already. */
  onClosed(listener: () => void): void;
  close(): void;
}

/**
 * The exact command for every host: the login shell may be csh or fish and only has to find this one
 * program; what follows on standard input is then plain POSIX.
 */
const shellCommand = "/bin/sh -s";

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
        if (error !== undefined) return fail(error);
        cancelTimer();
        resolve(wrapChannel(client, channel));
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}

function wrapChannel(client: Client, channel: ClientChannel): ShellChannel {
  let closed = false;
  const listeners: Array<() => void> = [];
  const end = () => {
    if (closed) return;
    closed = true;
    for (const listener of listeners.splice(0)) listener();
  };
  channel.setEncoding("utf8");
  channel.stderr.setEncoding("utf8");
  channel.on("error", end);
  channel.once("exit", end);
  channel.once("close", end);
  client.once("close", end);
  return {
    write: (text) => void channel.write(text),
    // Both streams have to be read in any case, or the channel never closes.
    onOutput: (listener) => void channel.on("data", listener),
    onErrorOutput: (listener) => void channel.stderr.on("data", listener),
    onClosed: (listener) => void (closed ? listener() : listeners.push(listener)),
    close: () => channel.close(),
  };
}
