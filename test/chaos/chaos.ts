import { randomFrom } from "../support/random.ts";
import { checkHistory, type Verdict } from "./check-history.ts";
import { createContender, shortLease } from "./contender.ts";
import { readHistory, type Setup } from "./history.ts";
import { openLab } from "./lab.ts";
import { disturb } from "./nemesis.ts";
import { createChance } from "./random-choice.ts";
import { settle, stopAll } from "./settle.ts";
import { clockHost, everything, hostNames } from "./topology.ts";

export interface ChaosResult {
  readonly directory: string;
  readonly rounds: number;
  readonly verdict: Verdict;
}

/**
 * A lock is watched for its ttl and a tenth more. Somebody has to look first, which a back-off delays by a minute
 * at most; two pauses between looks, and four operations without an answer.
 */
export const blockBoundMs = 1.1 * shortLease.ttl * 1000 + 60_000 + 20_000 + 4 * shortLease.operation_timeout * 1000;

export function setupOf(seed: number, jobs: Setup["jobs"]): Setup {
  return { seed, jobs, blockBoundMs };
}

/** Contenders of every kind, and a nemesis, for so many minutes; then everything heals, and the history is judged. */
export async function runChaos(options: {
  minutes: number;
  seed: number;
  signal: AbortSignal;
  say: (line: string) => void;
}): Promise<ChaosResult> {
  const { minutes, seed, signal, say } = options;
  const lab = await openLab(hostNames, { clockHost });
  say(`history in ${lab.root}`);
  try {
    const entries = everything(lab);
    lab.writeSetup(
      setupOf(
        seed,
        entries.map(({ job }) => job),
      ),
    );
    const thinking = randomFrom(seed + 1);
    const contenders = entries.map(({ plan }, index) => createContender(lab, plan, thinking, 9200 + index));
    for (const contender of contenders) await contender.start();
    const deps = { lab, contenders, chance: createChance(randomFrom(seed)) };
    const rounds = await disturb(deps, { untilMs: Date.now() + minutes * 60_000, signal, say });
    say("everything is healed; every job has to run once more");
    if (!signal.aborted) await settle(lab, contenders, { withinMs: blockBoundMs + 120_000, signal });
    if (!signal.aborted) await stopAll(lab, contenders);
    return { directory: lab.root, rounds, verdict: checkHistory(readHistory(lab.root)) };
  } finally {
    await lab.close();
  }
}
