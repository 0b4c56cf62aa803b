import { readdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseIntents } from "../../src/lock/recovery/intents-file.ts";
import { copyingJob, copyingKinds } from "../support/copying-job.ts";
import { type DirectorProcess, startDirectorProcess } from "../support/director-process.ts";
import { makeInstance, processesNaming } from "../support/instance.ts";
import { locksIn } from "../support/lock-names.ts";
import { newSeed, randomFrom } from "../support/random.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;
const rounds = Number(process.env["CRASH_ROUNDS"] ?? 15);

describe(`a daemon that is killed ${rounds} times at random moments`, () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  it.each(copyingKinds)("leaves nothing behind in the end: %s", async (kind) => {
    const seed = newSeed();
    console.log(`crash loop (${kind}): seed ${seed} (RANDOM_SEED=${seed} repeats it)`);
    const random = randomFrom(seed);
    const instance = await makeInstance(({ path }) => copyingJob(kind, path, { backup, kilobytesPerSecond: 1000 }));
    const fill = async (round: number) => {
      for (let file = 0; file < 20; file += 1) {
        await writeFile(instance.path("source", `file${file}`), Buffer.alloc(200_000, file + 20 * round));
      }
    };
    let inTheMiddle = 0;
    for (let round = 0; round < rounds; round += 1) {
      await fill(round);
      const director = startDirectorProcess(["start", "--config", instance.configFile], {});
      const killed = untilKillTime(director, random).then(() => director.signal("SIGKILL"));
      void director.waitForLine(is("director started")).then(
        () => director.signal("SIGHUP"),
        () => undefined,
      );
      await killed;
      expect(await director.exited).toBe("SIGKILL");
      if ((await locksIn(instance.path("locks"))).length > 0) inTheMiddle += 1;
    }
    expect(inTheMiddle).toBeGreaterThan(0);
    console.log(`crash loop (${kind}): ${rounds} crashes, ${inTheMiddle} of them with locks held`);

    const last = await instance.start();
    last.signal("SIGHUP");
    expect(await last.waitForLine(is("run finished"))).toMatchObject({ outcome: "ok" });
    expect((await readdir(instance.path("dest"))).toSorted()).toEqual(
      (await readdir(instance.path("source"))).toSorted(),
    );
    last.signal("SIGTERM");
    expect(await last.exited).toBe(0);
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    expect(await processesNaming(instance.directory)).toEqual([]);
    expect(parseIntents(await readFile(instance.path("state/intents-test.json"), "utf8"))).toEqual([]);
    expect((await readdir(instance.path("state"))).filter((name) => name.startsWith("intents-test.json."))).toEqual([]);
  });
});

/** Before it has started in one round of four; else in the middle of its run, which copies for four seconds. */
async function untilKillTime(director: DirectorProcess, random: () => number): Promise<void> {
  if (random() < 0.25) return void (await wait(random() * 800));
  await director.waitForLine(is("run started"));
  await wait(random() * 2500);
}
