import { setTimeout as wait } from "node:timers/promises";
import { randomFrom } from "../support/random.ts";
import { allFaults, type FaultDeps, longDeath } from "./faults.ts";
import { createChance } from "./random-choice.ts";

interface Course {
  readonly untilMs: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** A round in which one director stays dead and nothing else happens, among so many. */
const calmEvery = 6;
const calmMs = 240_000;

/** Lets one thing go wrong after the other, two at a time, and heals them. Returns how many rounds. */
export async function disturb(deps: FaultDeps, course: Course): Promise<number> {
  const { chance, contenders } = deps;
  const { untilMs, signal, say } = course;
  let rounds = 0;
  while (Date.now() < untilMs && !signal.aborted) {
    rounds += 1;
    if (rounds % calmEvery === 0 && Date.now() + calmMs < untilMs) await inflict(longDeath, deps, course);
    else await Promise.all([0, 1].map(() => stream(branch(deps), course)));
    // A director may have been hit by another fault while it recovered from the first.
    for (const contender of contenders) await contender.start().catch(() => say(`${contender.name} did not start`));
    await pause(chance.between(500, 3000), signal);
  }
  return rounds;
}

/** Numbers of its own: what one stream draws does not depend on how long the other takes. */
function branch(deps: FaultDeps): FaultDeps {
  return { ...deps, chance: createChance(randomFrom(Math.floor(deps.chance.between(0, 2 ** 31)))) };
}

async function stream(deps: FaultDeps, course: Course): Promise<void> {
  const { chance } = deps;
  for (let left = chance.between(1, 4); left > 0 && Date.now() < course.untilMs; left -= 1) {
    const fault = chance.one(allFaults.flatMap((one) => Array.from({ length: one.weight }, () => one)));
    await inflict(fault, deps, course);
    await pause(chance.between(0, 2000), course.signal);
  }
}

async function inflict(fault: (typeof allFaults)[number], deps: FaultDeps, course: Course): Promise<void> {
  const { untilMs, signal, say } = course;
  const { lab } = deps;
  const begun = await fault.begin(deps);
  if (begun === undefined) return;
  const { target, forMs, heal } = begun;
  lab.note({ kind: "fault", fault: fault.name, target });
  say(`${fault.name}: ${target}${forMs > 0 ? ` for ${(forMs / 1000).toFixed(1)} s` : ""}`);
  await pause(Math.max(0, Math.min(forMs, untilMs - Date.now())), signal);
  await heal().catch((error: unknown) => say(`${fault.name}: ${target}: ${String(error).split("\n")[0]}`));
  lab.note({ kind: "healed", fault: fault.name, target });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}
