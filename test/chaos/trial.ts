import { rm } from "node:fs/promises";
import { join } from "node:path";
import { randomFrom } from "../support/random.ts";
import { blockBoundMs, setupOf } from "./chaos.ts";
import { checkHistory, describeVerdict, type Verdict } from "./check-history.ts";
import { type Contender, createContender } from "./contender.ts";
import { type History, readHistory } from "./history.ts";
import { type Lab, openLab } from "./lab.ts";
import { settle, stopAll } from "./settle.ts";
import { type EntrySpec, entryOf, hostNames } from "./topology.ts";

/** A laboratory for one scenario. */
export interface Trial {
  readonly lab: Lab;
  readonly contenders: readonly Contender[];
  contender(name: string): Contender;
  history(): History;
  /** Waits until every job has run once more, stops all, and judges the history. */
  judge(): Promise<Verdict>;
  /** Removes everything, the history too if it is to be forgotten. */
  close(options: { forget: boolean }): Promise<void>;
}

export async function openTrial(
  specs: readonly EntrySpec[],
  options: { seed: number; aliveSeconds?: number },
): Promise<Trial> {
  const { seed } = options;
  const lab = await openLab(hostNames, options);
  const entries = specs.map((spec) => entryOf(lab, spec));
  lab.writeSetup(
    setupOf(
      seed,
      entries.map(({ job }) => job),
    ),
  );
  const random = randomFrom(seed + 1);
  const contenders = entries.map(({ plan }, index) => createContender(lab, plan, random, 9200 + index));
  const signal = new AbortController().signal;
  return {
    lab,
    contenders,
    contender: (name) => {
      const found = contenders.find((contender) => contender.name === name);
      if (found === undefined) throw new Error(`no contender ${name}`);
      return found;
    },
    history: () => readHistory(lab.root),
    judge: async () => {
      await settle(lab, contenders, { withinMs: blockBoundMs + 120_000, signal });
      await stopAll(lab, contenders);
      const verdict = checkHistory(readHistory(lab.root));
      console.log([`history in ${lab.root}, seed ${seed}`, ...describeVerdict(verdict)].join("\n"));
      return verdict;
    },
    close: async ({ forget }) => {
      await lab.close();
      if (forget) await rm(join(lab.root), { recursive: true, force: true });
    },
  };
}
