import { join } from "node:path";
import { openLockClient } from "../lock-client.ts";
import { startLockHost } from "../lock-host.ts";
import type { Row } from "../row.ts";
import { measurePairs } from "../series.ts";
import { openPing, roundTripMs } from "../slow-line.ts";

const locks = 100;
const jobs = { poll: { locks: [], blocks: Array.from({ length: locks }, (_, index) => `block-${index}`) } };

/** What a look at many locks of one host costs that a job waits for. */
export const lockPoll: Row = {
  name: "lock-poll",
  title: "A look at a hundred locks",
  explains:
    "One round trip, since all locks of a host are looked at by one command of a shell that is kept open. On loopback it is that shell, which tests a hundred paths.",
  run: async (directory) => {
    const host = await startLockHost(directory);
    try {
      const [far, near] = [
        await measureWay(host.far, join(directory, "far")),
        await measureWay(host.near, join(directory, "near")),
      ];
      return [
        {
          ...{
            name: `poll of ${locks} locks at ${roundTripMs} ms ÷ TCP round trip`,
            unit: "",
            measured: far.ratio,
            bar: 2,
          },
          parts: [
            { name: "director's look", unit: "ms", measured: far.ours, side: "ours" },
            { name: "TCP round trip", unit: "ms", measured: far.plain, side: "peer" },
            { name: "director's look on loopback", unit: "ms", measured: near.ours },
          ],
          note: "one host, none of them is there, connection warm",
        },
      ];
    } finally {
      await host.stop();
    }

    async function measureWay(way: typeof host.far, below: string) {
      const client = await openLockClient(host, way, { directory: below, jobs });
      const ping = await openPing(way.echoPort);
      try {
        return await measurePairs({ warmUps: 3, counted: 21 }, { ours: () => client.cycle("poll"), plain: ping });
      } finally {
        ping.close();
        await client.close();
      }
    }
  },
};
