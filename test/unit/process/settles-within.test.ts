import { expect, it } from "vitest";
import { settlesWithin } from "../../../src/process/settles-within.ts";
import { FakeClock } from "../../support/fake-clock.ts";

it("says yes when the promise resolves in time, and leaves no timer", async () => {
  const clock = new FakeClock();
  await expect(settlesWithin(Promise.resolve(), 1000, { clock })).resolves.toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

it("says no when the time has passed", async () => {
  const clock = new FakeClock();
  const answer = settlesWithin(new Promise(() => {}), 1000, { clock });
  await clock.advance(1000);
  await expect(answer).resolves.toBe(false);
});

it("says no as soon as the signal is aborted, and leaves no timer", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const answer = settlesWithin(new Promise(() => {}), 1000, { clock, signal: controller.signal });
  controller.abort();
  await expect(answer).resolves.toBe(false);
  expect(clock.pendingTimers).toBe(0);
});
