import { readdirSync } from "node:fs";
import { expect } from "vitest";

/**
 * That a divided sync counts as many created entries as one rsync. A directory that two parts make in the same moment is
 * counted by both, so that there may be as many more as there are directories (docs/parallel.md).
 */
export function expectCreated(together: number | null | undefined, alone: number | null, tree: string): void {
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).length;
  expect(together).toBeGreaterThanOrEqual(alone ?? NaN);
  expect(together).toBeLessThanOrEqual((alone ?? NaN) + directories);
}
