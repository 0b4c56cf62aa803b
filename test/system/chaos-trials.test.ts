import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it, type TestContext } from "vitest";
import { kill } from "../chaos/commands.ts";
import { createChance } from "../chaos/random-choice.ts";
import { type EntrySpec, listingEachOther, ringOf } from "../chaos/topology.ts";
import { openTrial, type Trial } from "../chaos/trial.ts";
import { whyNoLab } from "../chaos/why-no-lab.ts";
import { randomFrom } from "../support/random.ts";

const seed = 20_261_121;

const mutex: EntrySpec[] = [
  { name: "push1", host: "h1", destination: "h3", way: "push", locks: ["mutex"], group: "mutex", seconds: 1 },
  { name: "push2", host: "h2", destination: "h3", way: "push", locks: ["mutex"], group: "mutex", seconds: 1 },
  { name: "pull", host: "h3", destination: "h3", way: "pull", locks: ["mutex"], group: "mutex", seconds: 1 },
  { name: "local", host: "h3", destination: "h3", way: "local", locks: ["mutex"], group: "mutex", seconds: 1 },
];

async function open(specs: readonly EntrySpec[], context: TestContext): Promise<Trial> {
  const missing = whyNoLab();
  if (missing !== undefined) context.skip(missing);
  const trial = await openTrial(specs, { seed });
  context.onTestFinished(({ task }) => trial.close({ forget: task.result?.state === "pass" }));
  for (const contender of trial.contenders) await contender.start();
  return trial;
}

describe("directors that compete on four hosts", () => {
  it("take turns in a pair, a triangle and a ring", async (context) => {
    const pair = listingEachOther("pair", ["h1", "h2"], "h4");
    const trio = listingEachOther("trio", ["h1", "h2", "h4"], "h3");
    const trial = await open([...pair, ...trio, ...ringOf(["h1", "h2", "h3"], "h4")], context);
    await wait(40_000);
    const { violations, figures } = await trial.judge();
    expect(violations).toEqual([]);
    expect(figures.runs).toBeGreaterThan(20);
    expect(figures.locksBroken).toBe(0);
  });

  it("leave no lock behind when they are killed again and again", async (context) => {
    const trial = await open(mutex, context);
    const chance = createChance(randomFrom(seed));
    for (const until = Date.now() + 60_000; Date.now() < until;) {
      await wait(chance.between(100, 3000));
      const victim = chance.one(trial.contenders);
      await victim.crash();
      await victim.start();
    }
    const { violations, figures } = await trial.judge();
    expect(violations).toEqual([]);
    expect(figures.crashes).toBeGreaterThan(10);
  });

  it("end in good order whatever signals they get, and begin again", async (context) => {
    const trial = await open([...mutex, ...listingEachOther("pair", ["h1", "h2"], "h4")], context);
    const chance = createChance(randomFrom(seed));
    for (const until = Date.now() + 40_000; Date.now() < until;) {
      const victim = chance.one(trial.contenders);
      for (let count = 0; count < 30; count += 1) victim.signal("SIGHUP");
      victim.signal("SIGUSR1");
      await wait(chance.between(0, 1500));
      const ended = victim.stop();
      for (let count = 0; count < 5; count += 1) {
        await wait(chance.between(0, 100));
        const pid = victim.pid();
        if (pid !== undefined) kill(pid, chance.one(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"]));
      }
      expect(await ended).toBe(0);
      await victim.start();
    }
    const { violations } = await trial.judge();
    expect(violations).toEqual([]);
  });
});
