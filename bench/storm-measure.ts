import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { compareTrees } from "../test/support/compare-trees.ts";
import { randomFrom } from "../test/support/random.ts";
import { writeSmallFiles } from "../test/support/tree-storms.ts";
import type { LockHost, Way } from "./lock-host.ts";
import { cpuSecondsOf, untilQuiet, watchMemory } from "./process-tree.ts";
import type { Figure } from "./row.ts";
import { roundsOf } from "./rounds.ts";
import { ratioOf, type Series, seriesOf } from "./series.ts";
import type { WatchPeer } from "./watch-peers.ts";
import { makeWatchSite, type WatchSite } from "./watch-site.ts";

/** What one peer made of one storm. */
interface StormCost {
  /** From the last write until the last file was at the destination. */
  readonly ms: number;
  /** The same without what the peer was told to wait. */
  readonly aboveMs: number;
  readonly rsyncs: number;
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

export interface StormResult {
  readonly peer: WatchPeer;
  /** One for each round, in the same order for each peer. */
  readonly costs: readonly StormCost[];
}

export interface Storm {
  readonly files: number;
  readonly rounds: number;
  readonly host: LockHost;
  readonly way: Way;
}

const directories = 20;

/** Lets each peer carry the same new files in turns, on a tree and with a process of its own each time. */
export async function measureStorm(
  directory: string,
  peers: readonly WatchPeer[],
  storm: Storm,
): Promise<StormResult[]> {
  const costs = peers.map((): StormCost[] => []);
  const { counted } = roundsOf({ warmUps: 0, counted: storm.rounds });
  for (let round = 0; round < counted; round += 1) {
    for (let turn = 0; turn < peers.length; turn += 1) {
      // Whoever comes first in one round comes last in the next.
      const index = (turn + round) % peers.length;
      const below = join(directory, "site");
      const site = await makeWatchSite(below, storm.host, storm.way);
      const peer = peers[index];
      if (peer !== undefined) costs[index]?.push(await measureOnce(peer, site, storm.files));
      await rm(below, { recursive: true });
    }
  }
  return peers.map((peer, index) => ({ peer, costs: costs[index] ?? [] }));
}

async function measureOnce(peer: WatchPeer, site: WatchSite, files: number): Promise<StormCost> {
  // They are there on both sides, so that each file is news of its own to who watches.
  for (const root of [site.source, site.dest]) {
    for (let number = 0; number < directories; number += 1) await mkdir(join(root, `d${number}`));
  }
  const running = await peer.start(site, directories);
  try {
    await untilQuiet(running.pid);
    const rsyncsBefore = site.rsyncs();
    const cpuBefore = cpuSecondsOf(running.pid);
    const mostMemory = watchMemory(running.pid);
    const paths = await writeSmallFiles(site.source, { files, directories }, randomFrom(files));
    const writtenAt = performance.now();
    running.changed(paths);
    await untilArrived(site.dest, paths, peer.name);
    const ms = performance.now() - writtenAt;
    await untilQuiet(running.pid);
    const megabytes = mostMemory();
    const differences = compareTrees(site.source, site.dest, { mtimes: "files" });
    if (differences.length > 0) throw new Error(`${peer.name} left differences:\n${differences.join("\n")}`);
    const cpuSeconds = cpuSecondsOf(running.pid) - cpuBefore;
    return { ms, aboveMs: ms - peer.waitsMs, rsyncs: site.rsyncs() - rsyncsBefore, cpuSeconds, megabytes };
  } finally {
    await running.stop();
  }
}

/** rsync gives a file its name when it is complete, and most looks end at the first that is not there. */
async function untilArrived(dest: string, paths: readonly string[], who: string): Promise<void> {
  let arrived = 0;
  for (const end = performance.now() + 300_000; performance.now() < end;) {
    while (arrived < paths.length && existsSync(join(dest, paths[arrived] ?? ""))) arrived += 1;
    if (arrived === paths.length) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${who} has carried ${arrived} of ${paths.length} files in five minutes`);
}

/** The times and costs of each, as parts of a figure; the first is this program. */
export function stormParts(results: readonly StormResult[]): Figure["parts"] {
  return results.flatMap(({ peer, costs }, index) => [
    {
      ...{ name: `${peer.name}: last write to last file there`, unit: "ms" },
      ...{ measured: seriesOf(costs.map(({ ms }) => ms)), side: index === 0 ? ("ours" as const) : ("peer" as const) },
    },
    { name: `${peer.name}: rsyncs started`, unit: "", measured: seriesOf(costs.map(({ rsyncs }) => rsyncs)) },
    { name: `${peer.name}: CPU`, unit: "s", measured: seriesOf(costs.map(({ cpuSeconds }) => cpuSeconds)) },
    { name: `${peer.name}: peak memory`, unit: "MB", measured: seriesOf(costs.map(({ megabytes }) => megabytes)) },
  ]);
}

/** Round by round. */
export function ratioOfCosts(
  [ours, theirs]: readonly [StormResult, StormResult],
  of: (cost: StormCost) => number,
): Series {
  return ratioOf(seriesOf(ours.costs.map(of)), seriesOf(theirs.costs.map(of)));
}
