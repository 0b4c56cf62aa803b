import { join } from "node:path";
import { openLockClient } from "../lock-client.ts";
import { type LockHost, startLockHost, type Way } from "../lock-host.ts";
import type { Figure, Row } from "../row.ts";
import { measurePairs, type Pair } from "../series.ts";
import { openPing, roundTripMs } from "../slow-line.ts";

const locks = 100;
const names = (what: string) => Array.from({ length: locks }, (_, index) => `${what}-${index}`);
const jobs = {
  absent: { locks: [], blocks: names("absent") },
  holder: { locks: names("held"), blocks: [] },
  held: { locks: [], blocks: names("held") },
};

/** What a look at many locks of one host costs that a job waits for. */
export const lockPoll: Row = {
  name: "lock-poll",
  title: "A look at a hundred locks",
  explains:
    "One round trip, since all locks of a host are looked at by one command of a shell that is kept open. What is on top of it is that shell: it has to prove of each path that nothing is there, or to read the file.",
  run: async (directory) => {
    const host = await startLockHost(directory);
    try {
      const far = await measureWay(host, host.far, join(directory, "far"));
      const near = await measureWay(host, host.near, join(directory, "near"));
      return [
        figureOf("that are not there", { far: far.absent, near: near.absent }),
        figureOf("that somebody holds", { far: far.held, near: near.held }),
      ];
    } finally {
      await host.stop();
    }
  },
};

interface Looks {
  readonly absent: Pair;
  readonly held: Pair;
}

async function measureWay(host: LockHost, way: Way, directory: string): Promise<Looks> {
  const client = await openLockClient(host, way, { directory, jobs });
  const ping = await openPing(way.echoPort);
  const rounds = { warmUps: 3, counted: 21 };
  try {
    const absent = await measurePairs(rounds, { ours: () => client.cycle("absent"), plain: ping });
    const release = await client.hold("holder");
    try {
      return { absent, held: await measurePairs(rounds, { ours: () => client.look("held"), plain: ping }) };
    } finally {
      await release();
    }
  } finally {
    ping.close();
    await client.close();
  }
}

function figureOf(which: string, { far, near }: { far: Pair; near: Pair }): Figure {
  return {
    ...{ name: `poll of ${locks} locks ${which} at ${roundTripMs} ms ÷ TCP round trip`, unit: "" },
    ...{ measured: far.ratio, bar: 2 },
    parts: [
      { name: "director's look", unit: "ms", measured: far.ours, side: "ours" },
      { name: "TCP round trip", unit: "ms", measured: far.plain, side: "peer" },
      { name: "director's look on loopback", unit: "ms", measured: near.ours },
    ],
    note: "one host, connection warm",
  };
}
