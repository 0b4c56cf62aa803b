import { posix } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ChangeSet, PathChange } from "../../../src/model/changes.ts";
import { createBatcher } from "../../../src/watch/batcher.ts";

/** A file system in memory: the content of each file, `null` for a directory. */
type Tree = Map<string, string | null>;

const below = (tree: Tree, path: string) => [...tree.keys()].filter((key) => key.startsWith(`${path}/`));
const remove = (tree: Tree, path: string) => {
  for (const key of [path, ...below(tree, path)]) tree.delete(key);
};

type Step =
  | { readonly do: "write" | "mkdir" | "remove"; readonly path: string }
  | { readonly do: "move"; readonly path: string; readonly to: string };

type Operation = Step | { readonly do: "take" };

const part = fc.constantFrom("a", "b", "a-b");
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("mkdir" as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("move" as const), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
);

/** Does it, as far as a file system would, and says what a watcher reports. */
function perform(tree: Tree, step: Step, content: string): PathChange[] {
  const parentIsThere = (of: string) => posix.dirname(of) === "/" || tree.get(posix.dirname(of)) === null;
  if (step.do === "remove") {
    if (!tree.has(step.path)) return [];
    remove(tree, step.path);
    return [{ path: step.path, kind: "deleted" }];
  }
  if (step.do === "mkdir") {
    if (!parentIsThere(step.path) || tree.has(step.path)) return [];
    tree.set(step.path, null);
    return [{ path: step.path, kind: "tree" }];
  }
  if (step.do === "write") {
    if (!parentIsThere(step.path) || tree.get(step.path) === null) return [];
    tree.set(step.path, content);
    return [{ path: step.path, kind: "changed" }];
  }
  if (step.do !== "move") return [];
  const { path: from, to } = step;
  const moved = tree.get(from);
  if (moved === undefined || !parentIsThere(to) || to === from || to.startsWith(`${from}/`)) return [];
  if (tree.get(to) === null && (moved !== null || below(tree, to).length > 0)) return [];
  if (typeof tree.get(to) === "string" && moved === null) return [];
  for (const key of [from, ...below(tree, from)]) tree.set(to + key.slice(from.length), tree.get(key) ?? null);
  remove(tree, from);
  return [
    { path: from, kind: "deleted" },
    { path: to, kind: moved === null ? "tree" : "changed" },
  ];
}

/** What a sync does with a batch: it deletes what is listed, and carries what is there by then. */
function carry(batch: ChangeSet, source: Tree, target: Tree): void {
  if (batch.kind === "everything") {
    // Nothing is deleted by it, except what another kind of thing has taken the place of.
    for (const [key, value] of source) put(target, key, value);
    return;
  }
  for (const { path: listed, kind } of batch.changes) {
    if (kind === "deleted") remove(target, listed);
    const value = source.get(listed);
    if (kind === "deleted" || value === undefined) continue;
    const parts = listed.split("/");
    for (let depth = 2; depth < parts.length; depth += 1) put(target, parts.slice(0, depth).join("/"), null);
    put(target, listed, value);
    if (kind === "tree") for (const key of below(source, listed)) put(target, key, source.get(key) ?? null);
  }
}

function listing(tree: Tree): string[] {
  return [...tree].map(([key, value]) => `${key} ${value ?? "(directory)"}`).toSorted();
}

function put(target: Tree, key: string, value: string | null): void {
  if (value !== null) remove(target, key);
  target.set(key, value);
}

it.each([
  ["lists of paths", 1000, false],
  ["complete syncs", 2, false],
  ["complete syncs only", 1000, true],
])("whatever happens, batches bring a copy up to date: %s", (_, fullSyncThreshold, alwaysEverything) => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (steps) => {
      const batcher = createBatcher({ debounceMs: 10, maxDelayMs: 100, maxBatch: 1000, fullSyncThreshold });
      const source: Tree = new Map();
      const target: Tree = new Map();
      let lost = false;
      const takeAll = (now: number) => {
        for (let batch = batcher.take(now); batch !== null; batch = batcher.take(now)) {
          if (batch.kind === "everything") lost ||= batch.reason.includes("deletions among them are not known");
          carry(batch, source, target);
        }
      };
      steps.forEach((step, index) => {
        if (step.do === "take") return takeAll(index + 1000);
        batcher.add({ kind: "paths", changes: perform(source, step, String(index)) }, index);
        if (alwaysEverything) batcher.add({ kind: "everything", reason: "x" }, index);
      });
      takeAll(1_000_000);
      // Deletions that were too many are found by the next complete sync that deletes.
      if (lost) for (const key of target.keys()) if (!source.has(key)) target.delete(key);
      expect(listing(target)).toEqual(listing(source));
    }),
    { numRuns: 2000 },
  );
});
