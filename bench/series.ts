import { type Rounds, roundsOf } from "./rounds.ts";

/** Measured values of one thing, in one unit. */
export interface Series {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly values: readonly number[];
}

export function seriesOf(values: readonly number[]): Series {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1), values };
}

/** Value by value, so that a machine that is busy for a while weighs on both alike. */
export function ratioOf(ours: Series, theirs: Series): Series {
  return seriesOf(ours.values.map((value, index) => value / (theirs.values[index] ?? Number.NaN)));
}

/**
 * Measures each side once a round, after the warm-ups that do not count. Whoever comes first in one round comes last
 * in the next.
 */
export async function measureInTurns<Name extends string>(
  rounds: Rounds,
  sides: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, Series>> {
  const { warmUps, counted } = roundsOf(rounds);
  const names = Object.keys(sides) as Name[];
  const values = new Map(names.map((name): [Name, number[]] => [name, []]));
  for (let round = 0; round < warmUps + counted; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const value = await sides[name]();
      if (round >= warmUps) values.get(name)?.push(value);
    }
  }
  return Object.fromEntries([...values].map(([name, of]) => [name, seriesOf(of)])) as Record<Name, Series>;
}

export interface Pair {
  readonly ours: Series;
  readonly plain: Series;
  readonly ratio: Series;
}

/** Both functions resolve to the same unit. */
export async function measurePairs(
  rounds: Rounds,
  sides: { ours: () => Promise<number>; plain: () => Promise<number> },
): Promise<Pair> {
  const { ours, plain } = await measureInTurns(rounds, sides);
  return { ours, plain, ratio: ratioOf(ours, plain) };
}
