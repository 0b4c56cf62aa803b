import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { processesMentioning } from "../../test/support/process-state.ts";
import type { House } from "./house.ts";
import { verdict } from "./screen.ts";
import type { Team } from "./team.ts";
import { fingerprint } from "./trees.ts";
import type { Testimony } from "./witness.ts";

interface Result {
  readonly house: House;
  /** Fingerprints before anything ran. */
  readonly before: { readonly laptop: string; readonly backup: string };
  readonly outcomes: ReadonlyMap<string, string>;
  readonly testimony: Testimony;
}

/** Says what is as it must be after both runs, and what is not; true when all is. */
export async function checkResult({ house, before, outcomes, testimony }: Result): Promise<boolean> {
  const { laptop, backup, remote } = house;
  const after = {
    backup: await fingerprint(join(backup.disk, "data")),
    remote: await fingerprint(join(remote.disk, "data")),
  };
  const laptopWasFirst = testimony.seen[0]?.startsWith(laptop.name) === true;
  const [expected, whose] = laptopWasFirst ? [before.laptop, "the new"] : [before.backup, "the older"];
  const checks = [
    verdict(
      [...outcomes.values()].every((outcome) => outcome === "ok"),
      `both runs ended well (${[...outcomes].map(([name, outcome]) => `${name}: ${outcome}`).join(", ")})`,
    ),
    verdict(
      testimony.seen.length === 2 && testimony.overlaps === 0,
      `the witness saw both rsyncs and never the two together (${testimony.looks} looks at all processes)`,
    ),
    verdict(after.backup === before.laptop, "backup01 has every byte of laptop01's data"),
    // Had they overlapped, this copy would be a mixture of both.
    verdict(
      after.remote === expected,
      `backup-remote has every byte of ${whose} copy, for ${testimony.seen[0]} was first`,
    ),
    verdict((await lockFiles(house)).length === 0, "no lock file is left"),
  ];
  return checks.every(Boolean);
}

/** Stops both directors as systemd would, and says whether they left anything behind. */
export async function checkStopped({ members }: Team, house: House): Promise<boolean> {
  const startedAt = performance.now();
  for (const { director } of members) director.signal("SIGTERM");
  const statuses = await Promise.all(members.map(({ director }) => director.exited));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
  const left = processesMentioning(house.directory).map(({ pid, argv }) => `${pid} ${argv.join(" ")}`);
  const locks = await lockFiles(house);
  const checks = [
    verdict(
      statuses.every((status) => status === 0),
      `both ended with exit status ${statuses.join(" and ")}, after ${seconds} s`,
    ),
    verdict(locks.length === 0, `no lock file is left${locks.map((path) => `: ${path}`).join("")}`),
    verdict(left.length === 0, `no process is left${left.map((line) => `: ${line}`).join("")}`),
  ];
  return checks.every(Boolean);
}

/** Lock files alone: `.guard` and `.hold` beside each belong to the protocol and have to stay. */
async function lockFiles({ all }: House): Promise<string[]> {
  const lists = await Promise.all(
    all.map(async ({ disk }) => (await readdir(join(disk, "locks"))).map((name) => join(disk, "locks", name))),
  );
  return lists.flat().filter((path) => !/\.(guard|hold)$/.test(path));
}
