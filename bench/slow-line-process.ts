import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { startDelayProxy } from "../test/support/delay-proxy.ts";

/** The first line of output of this process, as JSON: ports on loopback. */
export interface SlowLinePorts {
  /** Leads to the target, delayed. */
  readonly target: number;
  /** Sends everything back: at once, through a proxy that does not delay, and through one that does. */
  readonly echo: number;
  readonly proxiedEcho: number;
  readonly delayedEcho: number;
}

/**
 * Arguments: the port of the target, and the milliseconds for each way. A process of its own, so that the
 * line does not wait for the one that is measured. It ends with its standard input.
 */
const [targetPort = 0, oneWayMs = 0] = process.argv.slice(2).map(Number);

const server = createServer({ noDelay: true }, (socket) => void socket.on("error", () => undefined).pipe(socket));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const echo = (server.address() as AddressInfo).port;

const lineTo = async (port: number, delayMs: number) => {
  const target = { host: "127.0.0.1", port };
  return (await startDelayProxy({ target, toServerMs: delayMs, toClientMs: delayMs })).port;
};
const ports: SlowLinePorts = {
  target: await lineTo(targetPort, oneWayMs),
  echo,
  proxiedEcho: await lineTo(echo, 0),
  delayedEcho: await lineTo(echo, oneWayMs),
};
console.log(JSON.stringify(ports));
process.stdin.resume().once("end", () => process.exit());
