import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { isRecord } from "./tree.ts";

/** What the schema knows and this version does not do; a version that does removes the line. `*`: any index. */
export const unavailable: readonly { path: readonly string[]; value?: string }[] = [
  { path: ["notify"] },
  ...["defaults", "jobs.*"].flatMap((owner) =>
    ["hooks"].map((key) => ({
      path: `${owner}.${key}`.split("."),
    })),
  ),
];

/** Values that messages must not offer. */
export const unavailableValues: readonly string[] = unavailable.flatMap(({ value }) => value ?? []);

/**
 * Refuses by name what this version does not do: a key that were ignored would let somebody believe
 * that a guard or a notification is in place. Returns the paths, below which nothing else is checked.
 */
export function refuseUnavailable(root: unknown, log: ProblemLog): KeyPath[] {
  return unavailable.flatMap((entry) =>
    findPaths(root, entry.path).flatMap(({ path, value }) => {
      if (entry.value !== undefined && value !== entry.value) return [];
      const name = entry.value === undefined ? "" : `${entry.value} `;
      log.error(path, `${name}is not available in this version: remove it`, { at: "key" });
      return [entry.value === undefined ? path : path.slice(0, -1)];
    }),
  );
}

function findPaths(
  value: unknown,
  pattern: readonly string[],
  path: KeyPath = [],
): { path: KeyPath; value: unknown }[] {
  const [part, ...rest] = pattern;
  if (part === undefined) return [{ path, value }];
  if (part === "*") {
    return Array.isArray(value) ? value.flatMap((item, index) => findPaths(item, rest, [...path, index])) : [];
  }
  return isRecord(value) && Object.hasOwn(value, part) ? findPaths(value[part], rest, [...path, part]) : [];
}
