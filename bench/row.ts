import type { Series } from "./series.ts";

/** One figure that has a bar, with what it was made of. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly measured: Series;
  /** At most this: what the program was meant to reach before it was measured. */
  readonly bar: number;
  /** The two sides of a ratio, and what else one has to know to read it. */
  readonly parts: readonly { readonly name: string; readonly unit: string; readonly measured: Series }[];
  readonly note: string;
}

export interface Row {
  readonly name: string;
  run(directory: string): Promise<readonly Figure[]>;
}

export function isMet({ measured, bar }: Figure): boolean {
  return measured.median <= bar;
}
