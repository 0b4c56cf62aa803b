import { watch } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LockHost, startLockHost, type Way } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import { untilQuiet } from "../process-tree.ts";
import type { Figure, Row } from "../row.ts";
import { measurePairs } from "../series.ts";
import { roundTripMs } from "../slow-line.ts";
import { director, lsyncd, type WatchPeer } from "../watch-peers.ts";
import { makeWatchSite, onTmpfs, type WatchSite } from "../watch-site.ts";

/** One new file in a tree that is quiet: from its write until it is at the target, less what was to be waited. */
export const watchLatency: Row = {
  name: "watch-latency",
  title: "One changed file",
  explains:
    "lsyncd logs in for it. The director goes through a connection that is there; what is left is the start of rsync on both sides, and far away the round trips of its protocol.",
  run: (fallback) =>
    onTmpfs(fallback, async (directory, where) => {
      const host = await startLockHost(directory);
      try {
        return [
          await measureWay(host, host.near, { directory: join(directory, "near"), name: "on loopback", where }),
          await measureWay(host, host.far, { directory: join(directory, "far"), name: `at ${roundTripMs} ms`, where }),
        ];
      } finally {
        await host.stop();
      }
    }),
};

async function measureWay(
  host: LockHost,
  way: Way,
  { directory, name, where }: { directory: string; name: string; where: string },
): Promise<Figure> {
  const begin = async (peer: WatchPeer) => {
    const site = await makeWatchSite(join(directory, peer.name), host, way);
    const running = await peer.start(site);
    let files = 0;
    const latency = async () => {
      // What is left of the file before would be carried together with the next.
      await untilQuiet(running.pid);
      files += 1;
      return timeOneFile(site, peer, `file${files}`);
    };
    return { running, latency };
  };
  const ours = await begin(director);
  try {
    const theirs = await begin(lsyncd);
    try {
      const pair = await measurePairs({ warmUps: 1, counted: 11 }, { ours: ours.latency, plain: theirs.latency });
      return {
        ...{ name: `latency of one file ${name}: director above its debounce ÷ lsyncd above its delay`, unit: "" },
        ...{ measured: pair.ratio, bar: 1 },
        parts: partsOf(pair, { ours: "director, above its debounce", plain: "lsyncd, above its delay" }),
        note: `debounce and delay ${director.waitsMs} ms, both over ssh, ${where}`,
      };
    } finally {
      await theirs.running.stop();
    }
  } finally {
    await ours.running.stop();
  }
}

async function timeOneFile(site: WatchSite, peer: WatchPeer, name: string): Promise<number> {
  const watcher = watch(site.dest);
  try {
    // rsync gives a file its name when it is complete.
    const arrived = new Promise<number>((resolve) => {
      watcher.on("change", (_, seen) => seen === name && resolve(performance.now()));
    });
    const writtenAt = performance.now();
    await writeFile(join(site.source, name), `content of ${name}\n`.repeat(100));
    return (await arrived) - writtenAt - peer.waitsMs;
  } finally {
    watcher.close();
  }
}
