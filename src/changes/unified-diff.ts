/** One side of a comparison: a file that holds exactly this text. */
export interface DiffSide {
  readonly file: string;
  readonly content: Buffer;
}

export type Difference =
  | { readonly kind: "diff"; readonly text: string }
  /** There is none, for a reason in words. */
  | { readonly kind: "none"; readonly why: string };

/** Makes a unified difference between two texts, with the headers `--- before` and `+++ after`. It never rejects. */
export type Differ = (before: DiffSide, after: DiffSide) => Promise<Difference>;

/** A longer difference says nobody anything; the copies are there. */
export const longestDiff = 1024 * 1024;
/** The search for the shortest difference takes time by the square of its length. */
const bounds = { timeout: 500, maxEditLength: 4000 };

export const tooDifferent: Difference = { kind: "none", why: "the two are too different to be shown line by line" };

/** The difference by a library, in this process; it is not loaded before something has changed. */
export const builtinDiffer: Differ = async (before, after) => {
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import("diff");
  const patch = createTwoFilesPatch(
    ...(["before", "after", before.content.toString(), after.content.toString()] as const),
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY, ...bounds },
  );
  return patch === undefined ? tooDifferent : bounded(patch);
};

/** What is too long is left out. */
export function bounded(text: string): Difference {
  return text.length > longestDiff ? tooDifferent : { kind: "diff", text };
}

/** Lines that a unified difference adds and removes. */
export function countLines(text: string): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  // The first two lines are the headers.
  for (const line of text.split("\n").slice(2)) {
    if (line.startsWith("+")) added += 1;
    else if (line.startsWith("-")) removed += 1;
  }
  return { added, removed };
}
