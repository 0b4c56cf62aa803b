import { expect, it } from "vitest";
import { createInotifyLedger, systemInotifyLimits } from "../../../src/watch/inotify-ledger.ts";

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const limits = { maxWatches: () => 1000, maxQueuedEvents: () => 100 };

it("leaves a twentieth of the watches to others, 1024 at most, and counts its own", () => {
  const ledger = createInotifyLedger(limits);
  ledger.opened();
  ledger.opened();
  ledger.closed();
  expect(ledger.room()).toBe(1000 - 50 - 1);
  expect(createInotifyLedger({ ...limits, maxWatches: () => 1_000_000 }).room()).toBe(998_976);
  expect(createInotifyLedger({ ...limits, maxWatches: () => undefined }).room()).toBe(8192 - 410);
});

it("takes three quarters of a queue in one turn for an overflow, once per turn", async () => {
  const ledger = createInotifyLedger(limits);
  let overflows = 0;
  const forget = ledger.onOverflow(() => (overflows += 1));
  const deliver = (count: number) => Array.from({ length: count }).forEach(() => ledger.delivered());
  deliver(74);
  await nextTurn();
  deliver(74);
  expect(overflows).toBe(0);
  deliver(100);
  expect(overflows).toBe(1);
  await nextTurn();
  deliver(75);
  expect(overflows).toBe(2);
  forget();
  await nextTurn();
  deliver(75);
  expect(overflows).toBe(2);
});

it("closes no more watches in a turn than the queue has room for their events", () => {
  expect(createInotifyLedger(limits).closesPerTurn).toBe(12);
  expect(createInotifyLedger({ ...limits, maxQueuedEvents: () => 1_000_000 }).closesPerTurn).toBe(1000);
});

it("reads the limits of this system", () => {
  expect(systemInotifyLimits.maxWatches()).toBeGreaterThan(0);
  expect(systemInotifyLimits.maxQueuedEvents()).toBeGreaterThan(0);
});
