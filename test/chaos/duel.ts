import type { TestContext } from "vitest";
import type { DirectorProcess } from "../support/director-process.ts";
import { waitUntil } from "../support/process-state.ts";
import type { EntrySpec } from "./topology.ts";
import { openTrial, type Trial } from "./trial.ts";
import { whyNoLab } from "./why-no-lab.ts";

const seed = 20_261_122;

/** A director that writes, and another one that waits for its lock. */
export interface Duel {
  readonly trial: Trial;
  readonly long: DirectorProcess;
  readonly other: DirectorProcess;
  /** Whether the writer of the first one lives. */
  readonly isWriting: () => boolean;
}

type Line = DirectorProcess["lines"][number];

export const says = (text: string) => (line: Line) => line.msg.startsWith(text);
export const lost = says("lock lost");
export const broken = says("stale lock of another broken");

/** A job of the mutex that all of these fight for: its lock and its destination are on h3. */
export function push(name: string, host: string, seconds: number): EntrySpec {
  return { name, host, destination: "h3", way: "push", locks: ["mutex"], group: "mutex", seconds };
}

/** The first of the two writes, the second one waits. Skips the test where there can be no hosts. */
export async function openDuel(
  specs: readonly [EntrySpec, EntrySpec],
  context: TestContext,
  options: { aliveSeconds?: number } = {},
): Promise<Duel> {
  const missing = whyNoLab();
  if (missing !== undefined) context.skip(missing);
  const trial = await openTrial(specs, { seed, ...options });
  context.onTestFinished(({ task }) => trial.close({ forget: task.result?.state === "pass" }));
  const [{ name: first }, { name: second }] = specs;
  const { witness } = trial.lab;
  const isWriting = () => witness.living().some((writer) => writer.startsWith(`${first}.`) && witness.isAlive(writer));
  const long = await trial.contender(first).start();
  await waitUntil("the copy is under way", isWriting);
  const other = await trial.contender(second).start();
  await other.waitForLine(says("job waits for a lock"));
  return { trial, long, other, isWriting };
}
