import type { Operation } from "./history.ts";

/** S1 to S5 and L1, L2 as test/model/README.md has them. */
export type Property = "S1" | "S2" | "S3" | "S4" | "S5" | "L1" | "L2";

export interface Violation {
  readonly property: Property;
  readonly what: string;
  /** The part of the history that shows it, in order. */
  readonly excerpt: readonly string[];
}

/** One line for people. */
export function describeOperation(operation: Operation): string {
  const { client, proc, op, path, token, invoked, returned, answer, run } = operation;
  const found = answer.found === undefined ? "" : ` (found ${answer.found.token ?? "a foreign lock"})`;
  const process = proc.split(":")[1];
  const of = run === undefined ? "" : ` for run ${run}`;
  return `${invoked}–${returned} ${client}[${process}] ${op} ${path}${token === undefined ? "" : ` ${token}`}${of}: ${answer.is}${found}`;
}

/** The operations on some paths around a time, so that a violation can be followed. */
export function excerptOf(
  operations: readonly Operation[],
  { paths, from, to }: { paths: readonly string[]; from: number; to: number },
): string[] {
  const near = operations.filter(
    ({ path, invoked, returned, op, answer }) =>
      paths.includes(path) && invoked <= to && returned >= from && !(op === "check" && answer.is === "held"),
  );
  const shown = near.length > 60 ? [...near.slice(0, 30), ...near.slice(-30)] : near;
  return shown.map(describeOperation);
}
