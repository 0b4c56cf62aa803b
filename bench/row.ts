import type { Series } from "./series.ts";

/** What a figure is made of. */
export interface Part {
  readonly name: string;
  readonly unit: string;
  readonly measured: Series;
  /** Parts with a side are drawn beside each other: this program, and what it is compared with. */
  readonly side?: Side;
}

export type Side = "ours" | "peer";

export interface Figure {
  /** The same from run to run, whatever was measured. */
  readonly name: string;
  readonly unit: string;
  readonly measured: Series;
  /** At most this: what the program was meant to reach before it was measured. undefined: it is there to be read. */
  readonly bar: number | undefined;
  /** The two sides of a ratio, and what else one has to know to read it. */
  readonly parts: readonly Part[];
  /** Under which conditions. */
  readonly note: string;
}

/** What is known of a row without measuring it. */
export interface RowText {
  /** As it is called on the command line. */
  readonly name: string;
  /** Its heading on the page. */
  readonly title: string;
  /** What dominates its figures, and what the limit is: one sentence or two in Markdown, written once they are known. */
  readonly explains: string;
}

export interface Row extends RowText {
  run(directory: string): Promise<readonly Figure[]>;
}

/** Rows that belong together on the page. */
export interface Area<R extends RowText = RowText> {
  readonly title: string;
  readonly rows: readonly R[];
}

/** undefined where there is no bar. */
export function isMet({ measured, bar }: Pick<Figure, "measured" | "bar">): boolean | undefined {
  return bar === undefined ? undefined : measured.median <= bar;
}
