import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { openLockClient } from "../lock-client.ts";
import { type LockHost, plainSsh, startLockHost, type Way } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import type { Row } from "../row.ts";
import { measurePairs } from "../series.ts";
import { roundTripMs } from "../slow-line.ts";

const jobs = { look: { locks: [], blocks: ["theirs"] } };

/** The first operation on a host, everything that comes before it included, beside the plain ssh client. */
export const sshLogin: Row = {
  name: "ssh-login",
  title: "The first operation on a host",
  explains:
    "Round trips far away, and on loopback the processor time of the key exchange: ssh2 and OpenSSH choose different ones. The director's side includes `ssh -G`, which reads the configuration of ssh, a kept shell, and the look at a lock. Of a real line ssh would have to say more: this one delays no connect and acknowledges at once, so that Nagle's algorithm, which ssh leaves on until it has logged in, costs it nothing.",
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
          parts: partsOf(pair, {
            ours: "director: ssh -G, connect, log in, shell, first look at a lock",
            plain: "ssh HOST true",
          }),
          note: "new connections, ed25519 keys",
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
