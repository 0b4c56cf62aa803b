import { expect, it } from "vitest";
import { awaitWriters } from "../../../src/run/await-writers.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";

function setUp(pids: number[]) {
  const clock = new FakeClock();
  const log = createMemoryLog();
  const shutdown = new AbortController();
  const result = awaitWriters(() => [...pids], { shutdown: shutdown.signal, clock, log });
  return { clock, log, shutdown, result };
}

it("says once, and not at every look, which processes it waits for", async () => {
  const pids = [41, 42];
  const { clock, log, result } = setUp(pids);
  await clock.advance(3_600_000);
  expect(log.lines).toEqual([
    { level: "error", message: expect.stringContaining("cannot be killed"), fields: { pids: [41, 42] } },
  ]);
  pids.length = 0;
  await clock.advance(5000);
  expect(await result).toEqual([]);
  expect(log.lines).toHaveLength(1);
});

it("says nothing when nobody writes any more", async () => {
  const { log, result } = setUp([]);
  expect(await result).toEqual([]);
  expect(log.lines).toEqual([]);
});

it("gives up when the director stops, and names who still lives", async () => {
  const { shutdown, result } = setUp([42]);
  shutdown.abort();
  expect(await result).toEqual([42]);
});
