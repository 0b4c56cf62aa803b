import type { Results, RowResult } from "../../../bench/results.ts";
import type { Area, Figure } from "../../../bench/row.ts";
import { seriesOf } from "../../../bench/series.ts";

export const madeUpAreas: readonly Area[] = [
  {
    title: "Many syncs",
    rows: [
      { name: "local", title: "Local syncs", explains: "It goes to rsync." },
      { name: "remote", title: "Remote syncs", explains: "It goes to the login." },
    ],
  },
  { title: "Start & idle", rows: [{ name: "start", title: "Start", explains: "It goes to Node." }] },
];

export function madeUpFigure(values: readonly number[], more: Partial<Figure> = {}): Figure {
  return { name: "syncs ÷ loop", unit: "", measured: seriesOf(values), bar: 1.05, parts: [], note: "", ...more };
}

export function madeUpRow(name: string, figures: readonly Figure[], more: Partial<RowResult> = {}): RowResult {
  return {
    ...{ name, date: "2026-05-04T03:02:01.000Z", commit: "0123456789", machine: "a processor · 2 cores" },
    ...{ loadAtStart: 0.1, othersAtStart: 2, seconds: 60, figures },
    ...more,
  };
}

/** One bar met, one missed, one figure without a bar; names that need escaping everywhere. */
export const madeUpResults: Results = {
  rows: [
    madeUpRow("local", [
      madeUpFigure([1.1, 0.9, 1], {
        parts: [
          { name: 'director, "quick"', unit: "ms", measured: seriesOf([1100, 900, 1000]), side: "ours" },
          { name: "sh: rsync <a> && b | c", unit: "ms", measured: seriesOf([1000, 1000, 1000]), side: "peer" },
          { name: "rsyncs started", unit: "", measured: seriesOf([50]) },
        ],
        note: "100 files",
      }),
    ]),
    madeUpRow("start", [
      madeUpFigure([300, 310, 320], { name: "start → /metrics", unit: "ms", bar: 250 }),
      madeUpFigure([0, 0, 0], { name: "nothing at all", unit: "s", bar: undefined }),
    ]),
  ],
};
