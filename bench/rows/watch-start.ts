import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { startLockHost } from "../lock-host.ts";
import { memoryOf } from "../process-tree.ts";
import { roundsOf } from "../rounds.ts";
import type { Row } from "../row.ts";
import { seriesOf } from "../series.ts";
import { director, lsyncd } from "../watch-peers.ts";
import { makeWatchSite, onTmpfs } from "../watch-site.ts";

const directories = 10_000;
const rounds = { warmUps: 0, counted: 7 };

/** A tree of many directories: how long until all are watched, and what that takes. */
export const watchStart: Row = {
  name: "watch-start",
  title: "A tree of 10,000 directories",
  explains:
    "A watch is a system call, and the directory is read after it, for which Node goes through its pool of threads. The memory is Node itself, and an object of Node for each watch; lsyncd is written in C and Lua.",
  run: (fallback) =>
    onTmpfs(fallback, async (directory, where) => {
      const host = await startLockHost(directory);
      try {
        const site = await makeWatchSite(join(directory, "site"), host, host.near);
        for (let number = 0; number < directories; number += 1) {
          await mkdir(join(site.source, `a${number % 20}`, `b${number}`), { recursive: true });
        }
        const peers = [director, lsyncd];
        const measured = peers.map((peer) => ({ peer, ms: [] as number[], megabytes: [] as number[] }));
        for (let round = 0; round < roundsOf(rounds).counted; round += 1) {
          for (const { peer, ms, megabytes } of round % 2 === 0 ? measured : measured.toReversed()) {
            const startedAt = performance.now();
            const running = await peer.start(site, directories + 20);
            ms.push(performance.now() - startedAt);
            megabytes.push(memoryOf(running.pid));
            await running.stop();
            await rm(join(site.directory, "director"), { recursive: true, force: true });
          }
        }
        const figureOf = (what: string, unit: string, of: (one: (typeof measured)[number]) => readonly number[]) => {
          const [ours, theirs] = measured.map((one) => seriesOf(of(one)));
          if (ours === undefined || theirs === undefined) throw new Error("a peer is missing");
          return {
            ...{ name: `${directories} directories: ${what}`, unit, measured: ours, bar: undefined },
            ...{
              parts: [{ name: "lsyncd", unit, measured: theirs, side: "peer" as const }],
              note: `a complete sync begins at the start on both sides; ${where}`,
            },
          };
        };
        return [
          figureOf("start until all are watched", "ms", ({ ms }) => ms),
          figureOf("memory of the process then", "MB RSS", ({ megabytes }) => megabytes),
        ];
      } finally {
        await host.stop();
      }
    }),
};
