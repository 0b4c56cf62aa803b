import { join } from "node:path";
import { type KeptShell, openKeptShell } from "../kept-shell.ts";
import { openLockClient } from "../lock-client.ts";
import { type LockHost, plainSsh, startLockHost, type Way } from "../lock-host.ts";
import type { Figure, Row } from "../row.ts";
import { measurePairs, type Pair } from "../series.ts";
import { measureProxy, openPing, roundTripMs } from "../slow-line.ts";

const jobs = { cycle: { locks: ["mine"], blocks: ["theirs"] } };
const counts = { warmUps: 5, counted: 31 };

/** What a job pays for its locks on another host: look, claim, look again, promote, release. */
export const lockCycle: Row = {
  name: "lock-cycle",
  run: async (directory) => {
    const host = await startLockHost(directory);
    try {
      const far = await measureWay(host, host.far, join(directory, "far"));
      const near = await measureWay(host, host.near, join(directory, "near"));
      const proxy = {
        name: "what the proxy adds without a delay",
        unit: "ms",
        measured: await measureProxy(host.line),
      };
      const note = "check, acquire, check again, promote, release of one remote lock with one block, connection warm";
      return [
        {
          ...{
            name: `lock cycle at ${roundTripMs} ms ÷ TCP round trip`,
            unit: "",
            measured: far.overPing.ratio,
            bar: 3.5,
          },
          parts: [...partsOf(far), proxy],
          note,
        },
        {
          name: "lock cycle on loopback",
          unit: "ms",
          measured: near.overShell.ours,
          bar: 5,
          parts: partsOf(near),
          note,
        },
      ];
    } finally {
      await host.stop();
    }
  },
};

interface Measured {
  readonly overPing: Pair;
  readonly overShell: Pair;
}

async function measureWay(host: LockHost, way: Way, directory: string): Promise<Measured> {
  const client = await openLockClient(host, way, { directory, jobs });
  const ping = await openPing(way.echoPort);
  const shell = await openKeptShell(plainSsh(host, way, "/bin/sh"));
  try {
    const ours = () => client.cycle("cycle");
    const overPing = await measurePairs(counts, { ours, plain: ping });
    const overShell = await measurePairs(counts, { ours, plain: () => plainCycle(shell, host.directory) });
    return { overPing, overShell };
  } finally {
    await shell.close();
    ping.close();
    await client.close();
  }
}

/** The same in as few words, without anything that makes it safe. */
async function plainCycle(shell: KeptShell, directory: string): Promise<number> {
  const [mine, theirs] = [join(directory, "plain-mine"), join(directory, "plain-theirs")];
  const startedAt = performance.now();
  await shell.run(`[ ! -e ${theirs} ] && echo ok`);
  await shell.run(`set -C; echo $$ >${mine} && [ ! -e ${theirs} ] && echo ok`);
  await shell.run(`rm ${mine} && echo ok`);
  return performance.now() - startedAt;
}

function partsOf({ overPing, overShell }: Measured): Figure["parts"] {
  return [
    { name: "director's locks", unit: "ms", measured: overPing.ours },
    { name: "TCP round trip", unit: "ms", measured: overPing.plain },
    { name: "director's locks again", unit: "ms", measured: overShell.ours },
    { name: "ssh HOST sh, kept open: test -e; set -C, echo >, test -e; rm", unit: "ms", measured: overShell.plain },
    { name: "ratio to that shell", unit: "", measured: overShell.ratio },
  ];
}
