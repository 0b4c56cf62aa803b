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

export interface Pair {
  readonly ours: Series;
  readonly plain: Series;
  /** Of each pair, so that a machine that is busy for a while weighs on both sides alike. */
  readonly ratio: Series;
}

/**
 * Measures both sides in turns, the first side alternating, after `warmUps` rounds that do not count.
 * Both functions resolve to the same unit.
 */
export async function measurePairs(
  counts: { warmUps: number; counted: number },
  sides: { ours: () => Promise<number>; plain: () => Promise<number> },
): Promise<Pair> {
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < counts.warmUps + counts.counted; round += 1) {
    const first = round % 2 === 0 ? await sides.ours() : undefined;
    const plainValue = await sides.plain();
    const oursValue = first ?? (await sides.ours());
    if (round < counts.warmUps) continue;
    ours.push(oursValue);
    plain.push(plainValue);
  }
  const ratios = ours.map((value, index) => value / (plain[index] ?? Number.NaN));
  return { ours: seriesOf(ours), plain: seriesOf(plain), ratio: seriesOf(ratios) };
}
