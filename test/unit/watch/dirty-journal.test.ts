import { describe, expect, test } from "vitest";
import type { ChangeKind, ChangeSet } from "../../../src/model/changes.ts";
import { DirtyJournal, type JournalEntry } from "../../../src/watch/dirty-journal.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryDirtyStore } from "../../support/memory-dirty-store.ts";

const start = Date.parse("2026-03-01T00:00:00Z");
const here = { jobId: "www", actionId: "copy", targetId: "backup01" };
const there = { ...here, targetId: "backup02" };

function entry(of = here, overrides: Partial<JournalEntry> = {}): JournalEntry {
  return { of, fingerprint: "same", watched: "all", onStart: "none", mostPaths: 1000, ...overrides };
}

function paths(...changes: readonly [path: string, kind?: ChangeKind][]): ChangeSet {
  return { kind: "paths", changes: changes.map(([path, kind = "changed"]) => ({ path, kind })) };
}

function openJournal(store = new MemoryDirtyStore(), entries = [entry()], clock = new FakeClock(start)) {
  const journal = new DirtyJournal({ store, clock });
  journal.open(entries);
  return { store, journal, clock };
}

/** One life of a director that brought everything everywhere and ended in order. */
function settledStore(entries = [entry()]): MemoryDirtyStore {
  const { store, journal } = openJournal(new MemoryDirtyStore(), entries);
  for (const { of } of entries) journal.arrived(of, journal.snapshot(of)!);
  journal.close();
  return store;
}

function openSettled(entries = [entry()]) {
  return openJournal(settledStore(entries), entries);
}

describe("a journal that is opened", () => {
  test("wants everything for a destination that nothing was ever sent to", () => {
    const { journal } = openJournal();
    expect(journal.snapshot(here)?.scope).toEqual({ kind: "full", reason: "nothing was sent there yet", deleted: [] });
  });

  test("wants nothing when the life before brought everything there and ended in order", () => {
    const { journal } = openSettled();
    expect(journal.snapshot(here)).toBeNull();
    expect(journal.summaries()).toEqual([]);
  });

  test.each([
    ["the sync leads somewhere else now", { fingerprint: "other" }, "the sync or its target has changed"],
    ["other files are watched now", { watched: "some" }, "what is watched has changed"],
    ["a complete sync is to come first", { onStart: "full" }, "the director has started"],
  ] as const)("wants everything when %s", (_when, overrides, reason) => {
    const { journal } = openJournal(settledStore(), [entry(here, overrides)]);
    expect(journal.snapshot(here)?.scope).toMatchObject({ kind: "full", reason });
  });

  test("wants everything after a life that ended without closing, but keeps the deletions it knew", () => {
    const { store, journal } = openSettled();
    journal.add(here, paths(["/a"], ["/b", "deleted"]));
    const { journal: next } = openJournal(store);
    const reason = "the director had ended unexpectedly";
    expect(next.snapshot(here)?.scope).toEqual({ kind: "full", reason, deleted: ["/b"] });
  });

  test("forgets what was to be deleted where the sync leads no more", () => {
    const { store, journal } = openSettled();
    journal.add(here, paths(["/srv/a", "deleted"]));
    journal.close();
    const { journal: next } = openJournal(store, [entry(here, { fingerprint: "another" })]);
    const reason = "the sync or its target has changed";
    expect(next.snapshot(here)?.scope).toEqual({ kind: "full", reason, deleted: [] });
    expect(store.load()).toMatchObject([{ fingerprint: "another.all", clean: false, paths: [] }]);
  });

  test("wants everything once, and keeps what was to be deleted, where only other files are watched", () => {
    const { store, journal } = openSettled();
    journal.add(here, paths(["/srv/a", "deleted"]));
    journal.close();
    const [stored] = store.load() ?? [];
    const reopen = () => openJournal(store, [entry(here, { watched: "some" })]).journal;
    // The first one is that of an earlier version.
    for (const fingerprint of ["same", "same.all"]) {
      store.put({ ...stored!, fingerprint });
      const reason = "what is watched has changed";
      expect(reopen().snapshot(here)?.scope).toEqual({ kind: "full", reason, deleted: ["/srv/a"] });
    }
    const next = reopen();
    next.arrived(here, next.snapshot(here)!);
    next.close();
    expect(reopen().need(here)).toBeNull();
  });

  test("wants everything, and says so, when the store cannot be read", () => {
    const store = settledStore();
    store.works = false;
    const { journal } = openJournal(store);
    expect(journal.snapshot(here)?.scope).toMatchObject({ reason: "the journal of changes cannot be read" });
  });

  test("takes up what was pending at an orderly end, with its times", async () => {
    const { store, journal, clock } = openSettled();
    journal.add(here, paths(["/a"], ["/d", "tree"], ["/b", "deleted"]));
    await clock.advance(5000);
    journal.close();
    const { journal: next } = openJournal(store);
    expect(next.snapshot(here)?.scope).toEqual({
      kind: "paths",
      changes: [
        { path: "/a", kind: "changed" },
        { path: "/d", kind: "tree" },
        { path: "/b", kind: "deleted" },
      ],
    });
    expect(next.summaries()).toEqual([{ ...here, files: 3, oldestAt: start }]);
  });

  test("forgets destinations that have left the configuration", () => {
    const { store, journal } = openSettled([entry(here), entry(there)]);
    journal.close();
    openJournal(store, [entry(here)]).journal.close();
    expect(store.load()?.map(({ targetId }) => targetId)).toEqual(["backup01"]);
  });
});

describe("what is pending", () => {
  test("is kept for each destination by itself", () => {
    const { journal } = openSettled([entry(here), entry(there)]);
    for (const of of [here, there]) journal.add(of, paths(["/a"]));
    journal.arrived(here, journal.snapshot(here)!);
    expect(journal.need(here)).toBeNull();
    expect(journal.need(there)).toBe("paths");
  });

  test("stays when it changes again while it is carried", () => {
    const { store, journal } = openSettled();
    journal.add(here, paths(["/a"], ["/b"]));
    const carried = journal.snapshot(here)!;
    journal.add(here, paths(["/b"], ["/c"]));
    journal.arrived(here, carried);
    const left = journal.snapshot(here)?.scope;
    expect(left).toMatchObject({ changes: [{ path: "/b" }, { path: "/c" }] });
    expect(store.load()?.[0]?.paths.map(({ path }) => path)).toEqual(["/b", "/c"]);
  });

  test("is all brought by a complete sync that began after it", () => {
    const { journal } = openSettled();
    journal.add(here, paths(["/a"]));
    journal.add(here, { kind: "paths", changes: [{ path: "/gone", kind: "deleted" }] });
    journal.add(here, { kind: "everything", reason: "overflow" });
    const carried = journal.snapshot(here)!;
    expect(carried.scope).toEqual({ kind: "full", reason: "overflow", deleted: ["/gone"] });
    journal.arrived(here, carried);
    expect(journal.need(here)).toBeNull();
  });

  test("still wants a complete sync when a new reason came while one ran", () => {
    const { store, journal } = openSettled();
    journal.add(here, { kind: "everything", reason: "first" });
    const carried = journal.snapshot(here)!;
    journal.add(here, { kind: "everything", reason: "second" });
    journal.arrived(here, carried);
    expect(journal.need(here)).toBe("full");
    expect(store.load()?.[0]?.everything).toMatchObject({ reason: "first" });
  });

  test("is brought by a complete sync that somebody else asked for", () => {
    const { journal } = openSettled();
    journal.add(here, paths(["/a"], ["/b", "deleted"]));
    const carried = journal.fullSnapshot(here, "by hand");
    expect(carried.scope).toEqual({ kind: "full", reason: "by hand", deleted: ["/b"] });
    journal.arrived(here, carried);
    expect(journal.need(here)).toBeNull();
  });

  test("names a path once, by what it is now, and counts from its first change", async () => {
    const { journal, clock } = openSettled();
    journal.add(here, paths(["/a"], ["/d", "tree"]));
    await clock.advance(1000);
    journal.add(here, paths(["/a", "deleted"], ["/d"]));
    expect(journal.snapshot(here)?.scope).toMatchObject({
      changes: [
        { path: "/a", kind: "deleted" },
        { path: "/d", kind: "tree" },
      ],
    });
    expect(journal.summaries()).toEqual([{ ...here, files: 2, oldestAt: start }]);
  });

  test("keeps the deletion under a directory that came in its place, until both have arrived", () => {
    const { store, journal } = openSettled();
    journal.add(here, paths(["/d", "deleted"]));
    journal.add(here, paths(["/d", "tree"], ["/d"]));
    const changes = [
      { path: "/d", kind: "deleted" },
      { path: "/d", kind: "tree" },
    ];
    expect(journal.snapshot(here)?.scope).toEqual({ kind: "paths", changes });
    journal.close();
    const { journal: next } = openJournal(store);
    expect(next.snapshot(here)?.scope).toEqual({ kind: "paths", changes });
    next.arrived(here, next.snapshot(here)!);
    expect(next.need(here)).toBeNull();
  });

  test("keeps the deletion where something else came in the place, which may become a directory yet", () => {
    const { journal } = openSettled();
    for (const kind of ["deleted", "changed", "tree"] as const) journal.add(here, paths(["/d", kind]));
    const changes = [
      { path: "/d", kind: "deleted" },
      { path: "/d", kind: "tree" },
    ];
    expect(journal.snapshot(here)?.scope).toEqual({ kind: "paths", changes });
  });

  test("has no number while a complete sync is due", () => {
    const { journal } = openJournal();
    expect(journal.summaries()).toEqual([{ ...here, files: null, oldestAt: start }]);
  });
});

test("a complete sync is told of directories that came where something was deleted", () => {
  const { journal } = openSettled();
  journal.add(here, paths(["/gone", "deleted"], ["/dir", "deleted"]));
  journal.add(here, paths(["/dir", "tree"]));
  expect(journal.fullSnapshot(here, "asked for").scope).toEqual({
    ...{ kind: "full", reason: "asked for" },
    ...{ deleted: ["/gone", "/dir"], replaced: ["/dir"] },
  });
});

describe("a journal of a target that is away for long", () => {
  test("keeps only deletions once too many paths wait, and wants everything", () => {
    const { store, journal, clock } = openSettled([entry(here, { mostPaths: 3 })]);
    journal.add(here, paths(["/a"], ["/b"], ["/gone", "deleted"]));
    clock.jumpWallClock(1000);
    expect(journal.add(here, paths(["/c"]))).toBe("more than 3 paths wait (full_sync_threshold)");
    expect(journal.snapshot(here)?.scope).toEqual({
      ...{ kind: "full", reason: "more than 3 paths wait (full_sync_threshold)", deleted: ["/gone"] },
    });
    expect(journal.summaries()).toMatchObject([{ files: null, oldestAt: start }]);
    expect(store.load()?.[0]?.paths.map(({ path }) => path)).toEqual(["/gone"]);
  });

  test("knows no deletions either when they alone are too many, and says so", () => {
    const { journal } = openSettled([entry(here, { mostPaths: 2 })]);
    journal.add(here, paths(["/a", "deleted"], ["/b", "deleted"]));
    expect(journal.add(here, paths(["/c", "deleted"]))).toMatch(/deletions among them are not known any more$/);
    expect(journal.snapshot(here)?.scope).toMatchObject({ kind: "full", deleted: [] });
  });

  test("wants everything again when it came to that during a complete sync", () => {
    const { journal } = openSettled([entry(here, { mostPaths: 1 })]);
    const full = journal.fullSnapshot(here, "asked for");
    journal.add(here, paths(["/a"], ["/b"]));
    journal.arrived(here, full);
    expect(journal.need(here)).toBe("full");
  });
});

test("a life that ended because of a bug has not ended in order, though what it knew is kept", () => {
  const { store, journal } = openSettled();
  journal.add(here, paths(["/b", "deleted"]));
  journal.close({ inOrder: false });
  const { journal: next } = openJournal(store);
  expect(next.snapshot(here)?.scope).toMatchObject({ kind: "full", deleted: ["/b"] });
});

describe("a destination of another configuration", () => {
  test("gets everything, and loses nothing that was pending when it leads where it did", () => {
    const { journal, store } = openSettled();
    journal.add(here, paths(["/srv/a", "deleted"]));
    journal.adopt([entry(here), entry(there)], "the watch has changed");
    expect(journal.snapshot(here)?.scope).toMatchObject({ kind: "full", deleted: ["/srv/a"] });
    expect(journal.snapshot(there)?.scope).toEqual({ kind: "full", reason: "the watch has changed", deleted: [] });
    expect(store.load()).toHaveLength(2);
  });

  test("forgets what was pending when it leads elsewhere", () => {
    const { journal } = openSettled();
    journal.add(here, paths(["/srv/a", "deleted"]));
    journal.adopt([entry(here, { fingerprint: "another" })], "the watch has changed");
    expect(journal.snapshot(here)?.scope).toEqual({ kind: "full", reason: "the watch has changed", deleted: [] });
  });

  test("is not settled by what was carried before", () => {
    const { journal } = openSettled();
    journal.add(here, paths(["/srv/a"]));
    const carried = journal.snapshot(here);
    journal.adopt([entry(here)], "the watch has changed");
    journal.arrived(here, carried!);
    expect(journal.need(here)).toBe("full");
  });

  test("is not kept once it has left", () => {
    const { journal, store } = openSettled([entry(here), entry(there)]);
    journal.drop(there);
    expect(store.load()?.map(({ targetId }) => targetId)).toEqual(["backup01"]);
  });
});
