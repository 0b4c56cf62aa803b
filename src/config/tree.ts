/** A block of a configuration file before it has been checked. */
export type Tree = Record<string, unknown>;

export function isRecord(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The blocks in a list that may hold anything; each with its index. */
export function recordsOf(value: unknown): [index: number, record: Tree][] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown, index): [number, Tree][] => (isRecord(item) ? [[index, item]] : []));
}
