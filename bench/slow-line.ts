import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Series, seriesOf } from "./series.ts";
import type { SlowLinePorts } from "./slow-line-process.ts";

/** What is called 40 ms or 200 ms in the names of figures; what it really is, is measured beside those of the locks. */
export const roundTripMs = 40;
export const longRoundTripMs = 200;

/** A line to a port on loopback that makes every byte wait half a round trip, in either direction. */
export interface SlowLine extends SlowLinePorts {
  stop(): Promise<void>;
}

export async function startSlowLine(targetPort: number, tripMs: number = roundTripMs): Promise<SlowLine> {
  const program = join(import.meta.dirname, "slow-line-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx", program, String(targetPort), String(tripMs / 2)], {
    cwd: join(import.meta.dirname, ".."),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    ...(JSON.parse(line) as SlowLinePorts),
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

export interface Ping {
  /** Resolves to the milliseconds until a few bytes have come back. */
  (): Promise<number>;
  close(): void;
}

/** The shortest that a question and its answer over TCP can take to this echo port. */
export async function openPing(port: number): Promise<Ping> {
  const socket = createConnection({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const ping = async () => {
    const startedAt = performance.now();
    socket.write("ping");
    await once(socket, "data");
    return performance.now() - startedAt;
  };
  return Object.assign(ping, { close: () => void socket.destroy() });
}

/** What the proxy costs by itself: the same echo with it, less without it. */
export async function measureProxy(line: SlowLine): Promise<Series> {
  const [direct, proxied] = [await openPing(line.echo), await openPing(line.proxiedEcho)];
  const costs: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const without = await direct();
    const cost = (await proxied()) - without;
    if (round >= 20) costs.push(cost);
  }
  direct.close();
  proxied.close();
  return seriesOf(costs);
}
