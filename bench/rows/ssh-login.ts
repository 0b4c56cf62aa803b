import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { openLockClient } from "../lock-client.ts";
import { type LockHost, plainSsh, startLockHost, type Way } from "../lock-host.ts";
import type { Row } from "../row.ts";
import { measurePairs } from "../series.ts";
import { roundTripMs } from "../slow-line.ts";

const jobs = { look: { locks: [], blocks: ["theirs"] } };

/** The first operation on a host, everything that comes before it included, beside the plain ssh client. */
export const sshLogin: Row = {
  name: "ssh-login",
  run: async (directory) => {
    const host = await startLockHost(directory);
    try {
      const figures = [];
      const ways = [
        ["on loopback", host.near],
        [`at ${roundTripMs} ms`, host.far],
      ] as const;
      for (const [where, way] of ways) {
        const pair = await measurePairs(
          { warmUps: 2, counted: 11 },
          { ours: () => timeFirstLook(host, way, join(directory, "client")), plain: () => timeSsh(host, way) },
        );
        figures.push({
          ...{ name: `connection set-up ${where} ÷ ssh`, unit: "", measured: pair.ratio, bar: 1 },
          parts: [
            { name: "director: ssh -G, connect, log in, shell, first look at a lock", unit: "ms", measured: pair.ours },
            { name: "ssh HOST true", unit: "ms", measured: pair.plain },
          ],
          note: "new connections, ed25519 keys; a real line is slower for ssh: this one delays no connect and acknowledges at once, so that Nagle's algorithm, which ssh leaves on until it has logged in, costs it nothing",
        });
      }
      return figures;
    } finally {
      await host.stop();
    }
  },
};

async function timeFirstLook(host: LockHost, way: Way, directory: string): Promise<number> {
  const client = await openLockClient(host, way, { directory, jobs });
  try {
    return await client.cycle("look");
  } finally {
    await client.close();
  }
}

async function timeSsh(host: LockHost, way: Way): Promise<number> {
  const [program, ...args] = plainSsh(host, way, "true");
  const startedAt = performance.now();
  const [code] = (await once(spawn(program, args, { stdio: "ignore" }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`ssh ended with ${code}`);
  return performance.now() - startedAt;
}
