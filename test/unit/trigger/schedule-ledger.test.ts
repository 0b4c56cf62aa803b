import { expect, test } from "vitest";
import { createMemoryLedger } from "../../../src/trigger/schedule-ledger.ts";

test("a time is claimed once under each key", () => {
  const ledger = createMemoryLedger();
  expect(ledger.claim("a", 1000, null)).toBe(true);
  expect(ledger.claim("a", 1000, null)).toBe(false);
  expect(ledger.claim("b", 1000, null)).toBe(true);
});

test("a local label is claimed once under each key, whatever the time", () => {
  const ledger = createMemoryLedger();
  expect(ledger.claim("a", 1000, "02:15")).toBe(true);
  expect(ledger.claim("a", 2000, "02:15")).toBe(false);
  expect(ledger.claim("a", 2000, null)).toBe(true);
  expect(ledger.claim("b", 2000, "02:15")).toBe(true);
});

test("the last scheduled time is the newest, not the last claimed", () => {
  const ledger = createMemoryLedger();
  expect(ledger.lastScheduled("a", Number.MAX_SAFE_INTEGER)).toBeNull();
  ledger.claim("a", 2000, null);
  ledger.claim("a", 1000, null);
  expect(ledger.lastScheduled("a", Number.MAX_SAFE_INTEGER)).toBe(2000);
  expect(ledger.lastScheduled("a", 1999)).toBe(1000);
  expect(ledger.lastScheduled("b", Number.MAX_SAFE_INTEGER)).toBeNull();
});

test("only the newest 500 claims of a key are kept", () => {
  const ledger = createMemoryLedger();
  for (let time = 0; time <= 500; time += 1) ledger.claim("a", time, `label ${time}`);
  expect(ledger.claim("a", 500, null)).toBe(false);
  expect(ledger.claim("a", 1, null)).toBe(false);
  expect(ledger.claim("a", 0, "label 0")).toBe(true);
});
