import { describe, expect, it } from "vitest";
import type { ChangeSet, PathChange } from "../../../src/model/changes.ts";
import { createBatcher } from "../../../src/watch/batcher.ts";

const options = { debounceMs: 100, maxDelayMs: 1000, maxBatch: 50, fullSyncThreshold: 80 };

function changes(...list: PathChange[]): ChangeSet {
  return { kind: "paths", changes: list };
}

const changed = (...paths: string[]) => changes(...paths.map((path) => ({ path, kind: "changed" }) as const));
const deleted = (...paths: string[]) => changes(...paths.map((path) => ({ path, kind: "deleted" }) as const));
const numbered = (count: number, directory = "") => Array.from({ length: count }, (_, n) => `${directory}/${n}`);

describe("when a batch is due", () => {
  it("is never, while nothing has changed", () => {
    const batcher = createBatcher(options);
    batcher.add(changes(), 0);
    expect(batcher.nextDue()).toBeNull();
    expect(batcher.take(1_000_000)).toBeNull();
  });

  it("is after the quiet time, which begins anew with each change", () => {
    const batcher = createBatcher(options);
    batcher.add(changed("/a"), 1000);
    expect(batcher.nextDue()).toBe(1100);
    batcher.add(changed("/a"), 1090);
    expect(batcher.nextDue()).toBe(1190);
    expect(batcher.take(1189)).toBeNull();
    expect(batcher.take(1190)).toEqual(changed("/a"));
    expect(batcher.nextDue()).toBeNull();
  });

  it("is at the latest `max_delay` after the first change", () => {
    const batcher = createBatcher(options);
    for (let now = 0; now <= 990; now += 90) batcher.add(changed("/a"), now);
    expect(batcher.nextDue()).toBe(1000);
    expect(batcher.take(1000)).toEqual(changed("/a"));
    batcher.add(changed("/b"), 1001);
    expect(batcher.nextDue()).toBe(1101);
  });

  it("is at once when there are `max_batch` paths", () => {
    const batcher = createBatcher(options);
    batcher.add(changed(...numbered(50)), 7);
    expect(batcher.nextDue()).toBe(7);
    expect(batcher.take(7)).toEqual(changed(...numbered(50)));
  });
});

describe("everything", () => {
  it("takes the place of more paths than the threshold", () => {
    const batcher = createBatcher(options);
    batcher.add(changed(...numbered(80)), 0);
    batcher.add(changed("/more"), 0);
    expect(batcher.take(100)).toEqual({
      kind: "everything",
      reason: "more than 80 paths changed (full_sync_threshold)",
    });
    expect(batcher.take(100)).toBeNull();
    expect(batcher.nextDue()).toBeNull();
  });

  it("does not take the place of paths that one deletion covers", () => {
    const batcher = createBatcher(options);
    const directories = Array.from({ length: 20 }, (_, n) => `/dir-${n}`);
    for (const directory of directories) batcher.add(deleted(...numbered(60, directory), directory), 0);
    expect(batcher.take(100)).toEqual(deleted(...directories));
  });

  it("keeps its first reason, and goes before the deletions", () => {
    const batcher = createBatcher(options);
    batcher.add(deleted("/before", "/back"), 0);
    batcher.add(changed("/a", "/back"), 0);
    batcher.add({ kind: "everything", reason: "first" }, 0);
    batcher.add({ kind: "everything", reason: "second" }, 0);
    batcher.add(changed("/b"), 0);
    batcher.add(deleted("/after"), 50);
    expect(batcher.nextDue()).toBe(150);
    expect(batcher.take(150)).toEqual({ kind: "everything", reason: "first" });
    expect(batcher.take(150)).toEqual(
      changes(...(["/before", "/back", "/after"].map((path) => ({ path, kind: "deleted" })) satisfies PathChange[]), {
        path: "/back",
        kind: "changed",
      }),
    );
    expect(batcher.take(150)).toBeNull();
  });

  it("knows the deletion of a directory that had more below it than can be listed", () => {
    const batcher = createBatcher(options);
    batcher.add(deleted(...numbered(1000, "/a"), "/a"), 0);
    expect(batcher.take(100)).toMatchObject({ kind: "everything" });
    expect(batcher.take(100)).toEqual(deleted("/a"));
  });

  it("says when there were too many deletions to remember", () => {
    const batcher = createBatcher(options);
    batcher.add(deleted(...numbered(1000)), 0);
    expect(batcher.take(100)).toEqual({
      kind: "everything",
      reason: "more than 80 paths changed (full_sync_threshold); deletions among them are not known any more",
    });
    const rest = batcher.take(100);
    expect(rest?.kind === "paths" && rest.changes.length <= 80).toBe(true);
    expect(batcher.take(100)).toBeNull();
  });
});

it("remembers no more than half as many paths again as the threshold", () => {
  const batcher = createBatcher(options);
  let most = 0;
  for (const path of numbered(10_000)) {
    batcher.add(path.endsWith("7") ? deleted(path) : changed(path), 0);
    most = Math.max(most, batcher.waiting());
  }
  expect(most).toBeLessThanOrEqual(121);
});
