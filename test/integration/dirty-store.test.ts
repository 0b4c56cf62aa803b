import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { openHistory } from "../../src/store/open-history.ts";
import { DirtyJournal } from "../../src/watch/dirty-journal.ts";
import { newEvents } from "../support/history-samples.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const here = { jobId: "www", actionId: "copy", targetId: "backup01" };
const there = { ...here, targetId: "backup02" };
const entries = [here, there].map((of) => ({
  of,
  fingerprint: "same",
  watched: "all",
  onStart: "none" as const,
  mostPaths: 1_000_000,
}));

async function open(file: string) {
  const retention = { keepRuns: 100, keepMs: 1e12 };
  const options = { file, retention, events: newEvents(), clock: systemClock, log: createMemoryLog() };
  const history = await openHistory(options);
  const journal = new DirtyJournal({ store: history.dirty, clock: systemClock });
  journal.open(entries);
  return { history, journal };
}

async function openSettled() {
  const file = join(await makeTempDir(), "history.db");
  const first = await open(file);
  for (const { of } of entries) first.journal.arrived(of, first.journal.snapshot(of)!);
  return { file, ...first };
}

test("a journal comes back from the database as it was closed", async () => {
  const { file, history, journal } = await openSettled();
  const odd = "/srv/with\nnewline, 'quotes' and ünicode";
  journal.add(here, { kind: "paths", changes: [{ path: odd, kind: "changed" }] });
  journal.add(there, { kind: "paths", changes: [{ path: "/srv/gone", kind: "deleted" }] });
  journal.add(there, { kind: "everything", reason: "overflow" });
  journal.close();
  history.close();
  const next = await open(file);
  expect(next.journal.snapshot(here)?.scope).toEqual({ kind: "paths", changes: [{ path: odd, kind: "changed" }] });
  expect(next.journal.snapshot(there)?.scope).toEqual({ kind: "full", reason: "overflow", deleted: ["/srv/gone"] });
  next.history.close();
});

test("what was added is in the file at once, and what arrived is out of it", async () => {
  const { file, history, journal } = await openSettled();
  const changes = Array.from({ length: 10_000 }, (_, index) => ({ path: `/srv/${index}`, kind: "changed" as const }));
  journal.add(here, { kind: "paths", changes });
  // Another connection, as after a crash: nothing was closed.
  const crashed = await open(file);
  expect(crashed.journal.need(here)).toBe("full");
  expect(crashed.journal.summaries()).toHaveLength(2);
  crashed.history.close();
  journal.arrived(here, journal.snapshot(here)!);
  journal.close();
  history.close();
  const next = await open(file);
  expect(next.journal.summaries()).toEqual([]);
  next.history.close();
});

test("what is pending at the end is kept also where somebody took the database away", async () => {
  const { file, history, journal } = await openSettled();
  journal.add(here, { kind: "paths", changes: [{ path: "/srv/a", kind: "deleted" }] });
  await rm(file);
  journal.close();
  history.close();
  const next = await open(file);
  expect(next.journal.snapshot(here)?.scope).toEqual({ kind: "paths", changes: [{ path: "/srv/a", kind: "deleted" }] });
  next.history.close();
});

test("more than the database may keep waiting is kept at the end all the same", async () => {
  const { file, history, journal } = await openSettled();
  const long = "x".repeat(1000);
  const paths = Array.from({ length: 35_000 }, (_, index) => ({
    path: `/srv/${long}${index}`,
    kind: "deleted" as const,
  }));
  journal.add(here, { kind: "paths", changes: paths });
  journal.close();
  history.close();
  const next = await open(file);
  expect(next.journal.summaries()).toMatchObject([{ ...here, files: 35_000 }]);
  next.history.close();
});

test("a life that could not write down what is pending has not ended in order", async () => {
  const { file, history, journal } = await openSettled();
  await rm(file);
  await mkdir(file);
  journal.add(here, { kind: "paths", changes: [{ path: "/srv/a", kind: "changed" }] });
  journal.close();
  await rmdir(file);
  history.close();
  const next = await open(file);
  expect(next.journal.need(here)).toBe("full");
  next.history.close();
});
