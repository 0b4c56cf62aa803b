import type { Series } from "./series.ts";

/** One figure, with what it was made of. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly measured: Series;
  /** At most this: what the program was meant to reach before it was measured. undefined: it is there to be read. */
  readonly bar: number | undefined;
  /** The two sides of a ratio, and what else one has to know to read it. */
  readonly parts: readonly { readonly name: string; readonly unit: string; readonly measured: Series }[];
  readonly note: string;
}

export interface Row {
  readonly name: string;
  run(directory: string): Promise<readonly Figure[]>;
}

/** undefined where there is no bar. */
export function isMet({ measured, bar }: Figure): boolean | undefined {
  return bar === undefined ? undefined : measured.median <= bar;
}
