import type { Part } from "./row.ts";
import type { Pair } from "./series.ts";

/** The two sides of a ratio, in milliseconds, under these names. */
export function partsOf({ ours, plain }: Pair, names: { ours: string; plain: string }): [Part, Part] {
  return [
    { name: names.ours, unit: "ms", measured: ours, side: "ours" },
    { name: names.plain, unit: "ms", measured: plain, side: "peer" },
  ];
}
