import { expect, test } from "vitest";
import { planSchedules } from "../../../src/trigger/schedule-plan.ts";
import { hours, minutes, setUpTrigger, sketchConfig } from "./schedule-fixture.ts";

const plansOf = (sketch: Parameters<typeof sketchConfig>[0]) =>
  planSchedules(sketchConfig(sketch), { hostname: "laptop01" });

test("a plan that is new has missed nothing, also when an older one had its name", async () => {
  const once = { scheduling: { onMissed: "once" as const } };
  const before = { ...once, schedules: [], jobs: [{ id: "home", schedules: ["0 2 * * *"] }] };
  const { clock, trigger, starts, missed } = setUpTrigger(before, { at: "2026-11-20T00:00:00Z" });
  trigger.start();
  await clock.advance(hours(12));
  trigger.replan(plansOf({ ...before, jobs: [{ id: "home", schedules: ["0 10 * * *"] }] }));
  await clock.advance(hours(24));
  expect(starts).toEqual(["20 02:00:00 home", "21 10:00:00 home"]);
  expect(missed).toEqual([]);
});

test("a plan that is as it was goes on, and what came due under it is not lost", async () => {
  const jobs = [{ id: "home", schedules: ["0 2 * * *"] }];
  const { clock, trigger, starts, announced } = setUpTrigger({ schedules: [], jobs }, { at: "2026-11-20T00:00:00Z" });
  trigger.start();
  await clock.advance(hours(3));
  // Its timer has not fired yet when the plans are replaced.
  clock.jumpWallClock(hours(23));
  trigger.replan(plansOf({ schedules: ["30 2 * * *"], jobs: [...jobs, { id: "mail" }] }));
  expect(starts).toEqual(["20 02:00:00 home", "21 02:00:00 home"]);
  expect(announced.slice(-2)).toMatchObject([
    { jobs: ["mail"], last: null, next: Date.parse("2026-11-21T02:30:00Z") },
    { jobs: ["home"], last: Date.parse("2026-11-21T02:00:00Z"), next: Date.parse("2026-11-22T02:00:00Z") },
  ]);
  await clock.advance(minutes(45));
  expect(starts.at(-1)).toBe("21 02:30:00 mail");
});

test("a plan that is gone starts nothing more", async () => {
  const { clock, trigger, starts } = setUpTrigger(
    { schedules: ["* * * * *"], jobs: [{ id: "home" }] },
    { at: "2026-11-20T00:00:00Z" },
  );
  trigger.start();
  trigger.replan([]);
  await clock.advance(hours(1));
  expect(starts).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
