import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openPauses } from "../../../../src/daemon/control/pauses.ts";
import { readPauses } from "../../../../src/daemon/control/pauses-file.ts";
import { EventLog } from "../../../support/event-log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const hour = 3_600_000;

async function setUp(file?: string) {
  const path = file ?? join(await makeTempDir(), "state", "pauses-test.json");
  const clock = new FakeClock();
  const events = new EventLog();
  const log = createMemoryLog();
  return { path, clock, events, log, open: () => openPauses(path, { clock, events, log }) };
}

it("keeps a pause for the next life", async () => {
  const { path, clock, open, events } = await setUp();
  const pauses = open();
  expect(pauses.of("a")).toBeUndefined();
  const pause = pauses.pause("a", { until: clock.now() + hour, by: "anna", reason: "because" });
  expect(events.of("job:paused")).toEqual([{ jobId: "a", pause, at: clock.now() }]);
  pauses.stop();
  expect(open().of("a")).toEqual({ since: clock.now(), until: clock.now() + hour, by: "anna", reason: "because" });
  expect(readPauses(path).get("a")).toEqual(pause);
});

it("ends a pause when its time is over, also by a clock that was put forward", async () => {
  const { path, clock, events, open } = await setUp();
  const pauses = open();
  pauses.pause("a", { until: clock.now() + hour, by: "anna", reason: null });
  pauses.pause("b", { until: null, by: "anna", reason: null });
  await clock.advance(hour - 1);
  expect(events.of("job:resumed")).toEqual([]);
  clock.jumpWallClock(2);
  expect(pauses.of("a")).toBeUndefined();
  await clock.advance(20_000);
  expect(events.of("job:resumed")).toMatchObject([{ jobId: "a", by: null }]);
  expect([...readPauses(path).keys()]).toEqual(["b"]);
});

it("has ended what was over while no director ran", async () => {
  const { clock, open, events } = await setUp();
  const first = open();
  first.pause("a", { until: clock.now() + hour, by: "anna", reason: null });
  first.stop();
  await clock.advance(2 * hour);
  expect(open().of("a")).toBeUndefined();
  expect(events.of("job:resumed")).toMatchObject([{ jobId: "a", by: null }]);
});

it("leaves no file when nothing is paused", async () => {
  const { path, open } = await setUp();
  const pauses = open();
  pauses.pause("a", { until: null, by: "anna", reason: null });
  expect(pauses.resume("a", "bert")).toBe(true);
  expect(pauses.resume("a", "bert")).toBe(false);
  await expect(readFile(path)).rejects.toThrow("ENOENT");
});

it("changes nothing that cannot be written down", async () => {
  const { path, open, events } = await setUp();
  const pauses = open();
  pauses.pause("a", { until: null, by: "anna", reason: null });
  pauses.pause("b", { until: null, by: "anna", reason: null });
  await rm(path);
  // A directory in its place can be neither replaced nor removed as a file.
  await mkdir(join(path, "in the way"), { recursive: true });
  expect(() => pauses.pause("c", { until: null, by: "anna", reason: null })).toThrow("EISDIR");
  expect(() => pauses.resume("a", "anna")).toThrow("EISDIR");
  expect(pauses.of("a")).toBeDefined();
  expect(pauses.of("c")).toBeUndefined();
  expect(events.of("job:resumed")).toEqual([]);
});

it.each([
  ["no JSON", "{"],
  ["another version", '{"v":2,"jobs":{}}'],
  ["no pause", '{"v":1,"jobs":{"a":{"since":1,"until":"soon","by":"anna","reason":null}}}'],
])("does not start with a file that cannot be read: %s", async (_what, text) => {
  const { path, open } = await setUp();
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  expect(open).toThrow(/which jobs are paused cannot be told: .*mend it, or remove it/);
  expect(await readFile(path, "utf8")).toBe(text);
});
