import { createConnection } from "node:net";
import type { Clock } from "../base/clock.ts";

/** The first packet of a master (OpenSSH, PROTOCOL.mux): its length, MUX_MSG_HELLO, version 4. */
const hello = Buffer.from([0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4]);

/** `silent`: somebody listens there and says nothing in time, or something else. */
export type HelloAnswer = "answers" | "nobody" | "silent";

/** Whether a master listens at a socket. Never rejects. */
export function askHello(
  path: string,
  { timeoutMs, clock }: { timeoutMs: number; clock: Clock },
): Promise<HelloAnswer> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    let heard = Buffer.alloc(0);
    let connected = false;
    const finish = (answer: HelloAnswer) => {
      cancelTimer();
      socket.destroy();
      resolve(answer);
    };
    const cancelTimer = clock.setTimer(timeoutMs, () => finish("silent"));
    socket.once("connect", () => void (connected = true));
    socket.on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length >= hello.length) finish(heard.subarray(0, hello.length).equals(hello) ? "answers" : "silent");
    });
    socket.once("error", () => finish(connected ? "silent" : "nobody"));
    socket.once("close", () => finish(connected ? "silent" : "nobody"));
  });
}

/** Whether whoever listens at a socket hangs up within `limitMs`, which a master does at its end. */
export function hangsUp(path: string, { limitMs, clock }: { limitMs: number; clock: Clock }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const finish = (hasHungUp: boolean) => {
      cancelTimer();
      socket.destroy();
      resolve(hasHungUp);
    };
    const cancelTimer = clock.setTimer(limitMs, () => finish(false));
    socket.resume();
    socket.once("error", () => finish(true));
    socket.once("close", () => finish(true));
  });
}
