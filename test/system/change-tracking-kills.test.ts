import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { checkTracked, liveOnce } from "../support/killed-tracker.ts";
import { newSeed, randomFrom } from "../support/random.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const kills = Number(process.env["TRACKING_KILLS"] ?? 200);
/** Each life is a process of its own, which takes a while where much else runs. */
const timeout = 3_600_000;

describe("a director that tracks changes and is killed", () => {
  it("before each of its steps, has every change once, and every previous copy", { timeout }, async () => {
    const directory = await makeTempDir();
    let round = 0;
    let killed = 0;
    for (let step = 0; ; step += 1) {
      round += 2;
      const life = await liveOnce(directory, [String(step), String(round)]);
      if (life.signal === null) break;
      killed += 1;
    }
    console.log(`change tracking: killed before each of ${killed} steps`);
    expect(killed).toBeGreaterThan(60);
    await checkTracked(directory);
  });

  it(`at ${kills} random moments, too`, { timeout }, async () => {
    const seed = newSeed();
    console.log(`change tracking: seed ${seed} (RANDOM_SEED=${seed} repeats it)`);
    const random = randomFrom(seed);
    const directory = await makeTempDir();
    let rounds = 0;
    for (let count = 0; count < kills; count += 1) {
      const after = Math.floor(random() * 4);
      const delayMs = random() * 60;
      let seen = 0;
      const life = await liveOnce(directory, [], (_, kill) => {
        seen += 1;
        if (seen === after + 1) void wait(delayMs).then(kill);
      });
      expect(life.signal).toBe("SIGKILL");
      rounds += life.lines.length;
    }
    const last = await liveOnce(directory, ["1000000", "0"]);
    expect(last.signal).toBeNull();
    const { changes } = await checkTracked(directory);
    console.log(`change tracking: ${kills} kills, ${rounds} rounds that ended, ${changes} changes`);
    expect(changes).toBeGreaterThan(rounds * 3);
  });
});
