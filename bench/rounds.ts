/** How often something is measured; what the warm-ups say does not count. */
export interface Rounds {
  readonly warmUps: number;
  readonly counted: number;
}

/** How many rounds whoever tries a row out wants to wait for, or undefined when it is meant. */
export function trialRounds(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = env["BENCH_ROUNDS"];
  if (text === undefined || text === "") return undefined;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`BENCH_ROUNDS has to be a number of rounds, not ${text}`);
  return rounds;
}

/** Warm-ups stay in a trial: without them another thing would be measured. */
export function roundsOf({ warmUps, counted }: Rounds, env: NodeJS.ProcessEnv = process.env): Rounds {
  return { warmUps, counted: Math.min(counted, trialRounds(env) ?? counted) };
}
