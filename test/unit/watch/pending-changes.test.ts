import { expect, it } from "vitest";
import type { ChangeKind } from "../../../src/model/changes.ts";
import { PendingChanges } from "../../../src/watch/pending-changes.ts";

/** `deleted /a` and so on, in order; the answer in the same form. */
function merge(...news: readonly string[]): string[] {
  const pending = new PendingChanges();
  for (const line of news) {
    const [kind = "", path = ""] = line.split(" ");
    pending.add({ kind: kind as ChangeKind, path });
  }
  return pending.list().map(({ kind, path }) => `${kind} ${path}`);
}

it.each([
  ["the last news of a file counts", ["changed /a", "deleted /a"], ["deleted /a"]],
  ["what came where something was deleted is both", ["deleted /a", "changed /a"], ["deleted /a", "changed /a"]],
  ["a path is listed once", ["changed /a", "changed /a"], ["changed /a"]],
  ["a tree carries its attributes", ["tree /a", "changed /a"], ["tree /a"]],
  ["a tree takes the place of a file", ["changed /a", "tree /a"], ["tree /a"]],
  ["a tree carries earlier changes below it", ["changed /a/b/c", "tree /a"], ["tree /a"]],
  ["a tree carries later changes below it", ["tree /a", "changed /a/b", "tree /a/c"], ["tree /a"]],
  ["a tree deletes nothing", ["deleted /a/b", "tree /a"], ["deleted /a/b", "tree /a"]],
  ["a tree does not carry its neighbours", ["tree /a", "changed /ab", "changed /a-b"], 3],
  ["a deletion covers what it had below", ["changed /a/b", "deleted /a/c", "tree /a/d", "deleted /a"], ["deleted /a"]],
  ["news after a deletion counts", ["deleted /a", "changed /a/b"], ["deleted /a", "changed /a/b"]],
  ["a new directory in place of a deleted one is both", ["deleted /a", "tree /a"], ["deleted /a", "tree /a"]],
  [
    "a new directory is both also with a file between them",
    ["deleted /a", "changed /a", "tree /a"],
    ["deleted /a", "tree /a"],
  ],
  ["... and below a tree", ["tree /", "deleted /a", "tree /a"], ["deleted /a", "tree /", "tree /a"]],
  ["... but not when it went in the end", ["deleted /a", "tree /a", "deleted /a"], ["deleted /a"]],
  ["a tree that is gone carries nothing", ["tree /a/b", "deleted /a", "changed /a/b/c"], 2],
  ["deletions come first", ["changed /a", "deleted /b"], ["deleted /b", "changed /a"]],
])("%s", (_, news, expected) => {
  const merged = merge(...news);
  if (typeof expected === "number") expect(merged).toHaveLength(expected);
  else expect(merged).toEqual(expected);
});
