import { mkdtemp, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { createSlottedFile, type SlottedFile } from "../../src/base/slotted-file.ts";
import { type KeptShell, openKeptShell } from "../kept-shell.ts";
import { openLockClient } from "../lock-client.ts";
import { type LockHost, plainSsh, startLockHost, type Way } from "../lock-host.ts";
import type { Figure, Part, Row } from "../row.ts";
import { measurePairs, type Pair } from "../series.ts";
import { longRoundTripMs, measureProxy, openPing, roundTripMs } from "../slow-line.ts";

const jobs = { cycle: { locks: ["mine"], blocks: ["theirs"] } };
const counts = { warmUps: 5, counted: 31 };
/** TMPFS_MAGIC of statfs(2). */
const tmpfs = 0x01021994;
const note = "check, acquire, check again, promote, release of one remote lock with one block, connection warm";

/** What a job pays for its locks on another host: look, claim, look again, promote, release. */
export const lockCycle: Row = {
  name: "lock-cycle",
  title: "A whole cycle of a lock",
  explains:
    "Far away two round trips: one that looks, claims and looks again, one that releases. On loopback what the client and the shell on the host do, in even parts, and the disk, on which the intent and then the claim have to be before they count; lock files in /run, which is a tmpfs, spare the second. The helper beside that shell locks, links and removes without starting a program; the same two trips with programs, half a millisecond each, and nothing that decides or checks stand beside it. The bare shell does nothing of what makes a lock safe.",
  run: async (directory) => {
    const host = await startLockHost(directory);
    try {
      const far = await measureWay(host, host.far, join(directory, "far"));
      const onDisk = await measureWay(host, host.near, join(directory, "near"));
      return [
        farFigure(roundTripMs, far, [await proxyPart(host)]),
        farFigure(longRoundTripMs, await measureLongWay(join(directory, "long")), []),
        nearFigure(
          "lock cycle on loopback, lock files on a tmpfs",
          await measureInMemory(host, join(directory, "memory")),
        ),
        nearFigure("lock cycle on loopback, lock files on a disk", onDisk),
      ];
    } finally {
      await host.stop();
    }
  },
};

interface Measured {
  readonly overPing: Pair;
  readonly overShell: Pair;
  readonly overPrograms: Pair;
}

async function measureLongWay(directory: string): Promise<Measured> {
  const host = await startLockHost(directory, { roundTripMs: longRoundTripMs });
  try {
    return await measureWay(host, host.far, join(directory, "client"));
  } finally {
    await host.stop();
  }
}

/** Lock files that lie as in /run. What the director itself writes down stays on the disk. */
async function measureInMemory(host: LockHost, directory: string): Promise<Measured> {
  const memory = await mkdtemp("/dev/shm/rsyncdirector-bench-");
  try {
    const { type } = await statfs(memory);
    if (type !== tmpfs) throw new Error("/dev/shm is no tmpfs here");
    return await measureWay({ ...host, directory: memory }, host.near, directory);
  } finally {
    await rm(memory, { recursive: true });
  }
}

async function measureWay(host: LockHost, way: Way, directory: string): Promise<Measured> {
  const client = await openLockClient(host, way, { directory, jobs });
  const ping = await openPing(way.echoPort);
  const shell = await openKeptShell(plainSsh(host, way, "/bin/sh"));
  const intents = createSlottedFile(join(directory, "intents"), { mode: 0o600 });
  try {
    const ours = () => client.cycle("cycle");
    const overPing = await measurePairs(counts, { ours, plain: ping });
    const overShell = await measurePairs(counts, { ours, plain: () => plainCycle(shell, host.directory) });
    const overPrograms = await measurePairs(counts, {
      ours,
      plain: () => programsCycle(shell, intents, host.directory),
    });
    return { overPing, overShell, overPrograms };
  } finally {
    await intents.close();
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

/**
 * What would be left of a cycle by programs if all that decides and checks were taken away: the intent on the disk, two trips
 * of the plain client, and the programs, which no shell has built in. `printf` writes as much as a lock file has.
 */
async function programsCycle(shell: KeptShell, intents: SlottedFile, directory: string): Promise<number> {
  const [file, lock, guard] = ["programs.tmp", "programs", "programs.guard"].map((name) => join(directory, name));
  const startedAt = performance.now();
  await intents.write(JSON.stringify("x".repeat(700)));
  await shell.run(
    `{ flock 9 & printf %0450d 0 >${file}; sync ${file}; wait $!; ln ${file} ${lock}; } 9>>${guard} && echo ok`,
  );
  await shell.run(`{ flock 9; rm ${file} ${lock}; } 9>>${guard} && echo ok`);
  return performance.now() - startedAt;
}

function nearFigure(name: string, { overPing, overShell, overPrograms }: Measured): Figure {
  return {
    ...{ name, unit: "ms", measured: overShell.ours, bar: 5 },
    parts: [
      { name: "TCP round trip", unit: "ms", measured: overPing.plain },
      { ...shellPart({ overShell }), side: "peer" },
      { name: "ratio to that shell", unit: "", measured: overShell.ratio },
      { name: "director's locks beside these programs", unit: "ms", measured: overPrograms.ours },
      {
        name: "programs: intent on the disk; flock beside sync, ln; flock, rm",
        unit: "ms",
        measured: overPrograms.plain,
      },
      { name: "ratio to these programs", unit: "", measured: overPrograms.ratio },
    ],
    note,
  };
}

function farFigure(tripMs: number, { overPing, overShell }: Measured, more: readonly Part[]): Figure {
  return {
    ...{ name: `lock cycle at ${tripMs} ms ÷ TCP round trip`, unit: "", measured: overPing.ratio, bar: 3.5 },
    parts: [
      { name: "director's locks", unit: "ms", measured: overPing.ours, side: "ours" },
      { name: "TCP round trip", unit: "ms", measured: overPing.plain, side: "peer" },
      { ...shellPart({ overShell }), side: "peer" },
      ...more,
    ],
    note,
  };
}

function shellPart({ overShell }: Pick<Measured, "overShell">): Part {
  const name = "ssh HOST sh, kept open: test -e; set -C, echo >, test -e; rm";
  return { name, unit: "ms", measured: overShell.plain };
}

async function proxyPart(host: LockHost): Promise<Part> {
  return { name: "what the proxy adds without a delay", unit: "ms", measured: await measureProxy(host.line) };
}
