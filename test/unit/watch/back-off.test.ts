import { expect, test } from "vitest";
import { BackOff } from "../../../src/watch/back-off.ts";

const policy = { delayMs: 1000, maxDelayMs: 5000, backoff: 2 };

test("a back-off waits longer after each failure in a row, up to its limit", () => {
  const backOff = new BackOff(policy);
  const waits = [0, 1, 2, 3, 4].map((now) => {
    backOff.failed(now);
    return backOff.until - now;
  });
  expect(waits).toEqual([1000, 2000, 4000, 5000, 5000]);
  expect(backOff.failures).toBe(5);
});

test("a success ends it, and the next failure begins anew", () => {
  const backOff = new BackOff(policy);
  backOff.failed(0);
  backOff.failed(0);
  backOff.succeeded();
  expect(backOff).toMatchObject({ until: 0, failures: 0 });
  backOff.failed(100);
  expect(backOff.until).toBe(1100);
});
