import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";

/** Messages to the service manager, in the words of sd_notify(3): `READY`, `STATUS`, `WATCHDOG`, … */
export interface NotifyQueue {
  /** Sends `NAME=value` for each field, soon and together; it never fails and never waits. */
  send(fields: Readonly<Record<string, string>>): void;
  /** Resolves when everything was sent, or was tried once more. */
  close(): Promise<void>;
}

/** Longer than the five seconds for which systemd-notify waits until systemd has read its message. */
const helperMs = 10_000;
const retryMs = 2000;

/**
 * Node cannot write to the socket itself, so each message is a short-lived `systemd-notify`. There is never
 * more than one: what comes meanwhile goes together, and of several values of a field only the last.
 */
export function createNotifyQueue(deps: { socket: string; runTool: RunTool; clock: Clock; log: Logger }): NotifyQueue {
  const { socket, runTool, clock, log } = deps;
  const waiting = new Map<string, string>();
  let sending: Promise<void> | undefined;
  let cancelRetry: CancelTimer | undefined;
  let failing = false;
  let closed = false;

  const sendWaiting = async (): Promise<void> => {
    while (waiting.size > 0) {
      const batch = [...waiting];
      waiting.clear();
      const words = batch.map(([name, value]) => `${name}=${onOneLine(value)}`);
      // Children do not inherit the variable: whatever a job starts must not speak for the daemon.
      const answer = await runTool(["systemd-notify", "--", ...words], {
        timeoutMs: helperMs,
        env: { NOTIFY_SOCKET: socket },
      });
      if (answer.exitCode === 0) {
        if (failing) log.info({}, "systemd is told again how the director is");
        failing = false;
        continue;
      }
      if (!failing) log.warn({ error: answer.stderr.trim() }, "systemd could not be told how the director is");
      failing = true;
      for (const [name, value] of batch) if (!waiting.has(name)) waiting.set(name, value);
      if (!closed) cancelRetry = clock.setTimer(retryMs, start);
      return;
    }
  };

  function start(): void {
    cancelRetry?.();
    cancelRetry = undefined;
    sending ??= sendWaiting().finally(() => (sending = undefined));
  }

  return {
    send: (fields) => {
      for (const [name, value] of Object.entries(fields)) {
        waiting.delete(name);
        waiting.set(name, value);
      }
      if (!failing) start();
    },
    close: async () => {
      closed = true;
      await sending;
      if (waiting.size > 0) start();
      await sending;
      cancelRetry?.();
    },
  };
}

/** A line break would begin a message of its own. */
function onOneLine(value: string): string {
  return value.replaceAll(/[\u0000-\u001f\u007f]+/g, " ");
}
