import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DirectorProcess, startDirectorProcess } from "../support/director-process.ts";
import { doubledEdits, brokenChains } from "../support/edit-chains.ts";
import { locksIn } from "../support/lock-names.ts";
import { newSeed, randomFrom } from "../support/random.ts";
import { randomStorm } from "../support/random-storm.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeWatchingInstance } from "../support/watching-instance.ts";

const kills = Number(process.env["WATCH_KILLS"] ?? 200);
const texts = 6;
/** A round takes about two seconds. */
const timeout = 120_000 + kills * 8000;

describe(`a daemon that watches and is killed ${kills} times at random moments`, () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  it(
    "loses no change, notes no difference twice, and has nothing pending after a quiet time",
    { timeout },
    async () => {
      const seed = newSeed();
      console.log(`watch kills: seed ${seed} (RANDOM_SEED=${seed} repeats it)`);
      const random = randomFrom(seed);
      const instance = await makeWatchingInstance({
        targets: [{ id: "one", sshd: backup }],
        watch: { on_start: "full" },
        job: { track_changes: { log_file: "/set-below", log_max_size: "1G", max_size: "10G", keep_last: 100_000 } },
      });
      const { place, configFile } = instance;
      const changeLog = instance.path("changes.log");
      await writeFile(configFile, readFileSync(configFile, "utf8").replace("/set-below", changeLog));
      const storm = randomStorm(seed);
      let edits = 0;
      const edit = async () => {
        edits += 1;
        // Written where nobody looks, so that each edit is seen in one file only.
        const written = join(place.aside, "edit");
        await writeFile(written, `a text\nedit ${edits}.\nits end\n`);
        await rename(written, join(place.tree, "texts", `text${edits % texts}`));
      };
      const stormy = { tree: join(place.tree, "stormy"), aside: place.aside };
      for (const name of ["texts", "stormy"]) await mkdir(join(place.tree, name));
      while (edits < texts) await edit();
      const initial = edits;
      // What was at the target when tracking began is no change.
      const first = await instance.startAndSync();
      first.signal("SIGTERM");
      expect(await first.exited).toBe(0);
      let inTheMiddle = 0;
      for (let round = 0; round < kills; round += 1) {
        const director = startDirectorProcess(["start", "--config", configFile]);
        const said = () => director.lines.map(({ msg }) => msg);
        const killed = untilKillTime(director, random).then(() => director.signal("SIGKILL"));
        let alive = true;
        void director.exited.then(() => (alive = false));
        while (alive) {
          await edit();
          await storm.steps(stormy, 3);
          await wait(random() * 150);
        }
        await killed;
        expect(await director.exited).toBe("SIGKILL");
        if (said().lastIndexOf("run started") > said().lastIndexOf("run finished")) inTheMiddle += 1;
      }
      console.log(`watch kills: ${kills} kills, ${inTheMiddle} of them in the middle of a run, ${edits} edits`);
      expect(inTheMiddle).toBeGreaterThan(0);

      const last = await instance.start();
      await edit();
      await instance.untilArrived({ mtimes: "files", timeoutMs: 120_000 });
      await instance.untilNothingPending();
      last.signal("SIGTERM");
      expect(await last.exited).toBe(0);
      const log = readFileSync(changeLog, "utf8");
      expect(doubledEdits(log)).toEqual([]);
      expect(brokenChains(log, initial)).toEqual([]);
      for (let text = 0; text < texts; text += 1) {
        const [current] = /edit \d+\./.exec(readFileSync(join(place.tree, "texts", `text${text}`), "utf8")) ?? [""];
        expect(log).toContain(`+${current}`);
      }
      expect(await locksIn(instance.path("locks"))).toEqual([]);
    },
  );
});

/** Before it has started in one round of four; else so long after it that its first run and what follows are hit. */
async function untilKillTime(director: DirectorProcess, random: () => number): Promise<void> {
  if (random() < 0.25) return void (await wait(random() * 800));
  await director.waitForLine(({ msg }) => msg === "director started");
  await wait(random() * 1500);
}
