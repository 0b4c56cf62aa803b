import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import type { Clock } from "../base/clock.ts";

/**
 * A TCP connection from the other side on to a third host. Rejects when it cannot be made, takes longer
 * than `timeoutMs`, or is given up: ssh2 may never call back on a dying connection.
 */
export function openForwardStream(
  client: Client,
  to: { readonly hostname: string; readonly port: number },
  { timeoutMs, clock, signal }: { timeoutMs: number; clock: Clock; signal: AbortSignal },
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (result: Error | Duplex) => {
      if (settled) {
        // It came after nobody wanted it any more.
        if (!(result instanceof Error)) result.destroy();
        return;
      }
      settled = true;
      cancelTimer();
      client.removeListener("close", onClose);
      signal.removeEventListener("abort", onAbort);
      if (result instanceof Error) reject(result);
      else resolve(endWith(client, result));
    };
    const onClose = () => settle(new Error("the connection was closed"));
    const onAbort = () => settle(new Error("given up"));
    const cancelTimer = clock.setTimer(timeoutMs, () => settle(new Error("no answer in time")));
    client.once("close", onClose);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) return onAbort();
    try {
      client.forwardOut("127.0.0.1", 0, to.hostname, to.port, (error, stream) => {
        settle(error === undefined ? stream : explain(error));
      });
    } catch (error) {
      settle(error as Error);
    }
  });
}

/** When the client dies, nothing else would ever end a stream through it. */
function endWith(client: Client, stream: Duplex): Duplex {
  const onGone = () => stream.destroy();
  client.once("close", onGone);
  stream.once("close", () => client.removeListener("close", onGone));
  stream.on("error", () => undefined);
  return stream;
}

/** The reasons of RFC 4254, section 5.1. */
function explain(error: Error & { reason?: unknown }): Error {
  if (error.reason === 1) return new Error("it may not forward connections there (AllowTcpForwarding, PermitOpen)");
  if (error.reason === 2) return new Error(`it cannot connect from there: ${error.message}`);
  return error;
}
