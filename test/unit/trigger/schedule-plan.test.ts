import { describe, expect, test } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import { enabledJobs, latestTime, planSchedules, upcomingTimes } from "../../../src/trigger/schedule-plan.ts";
import { hours, minutes, sketchConfig } from "./schedule-fixture.ts";

type Sketch = Parameters<typeof sketchConfig>[0];

const plansOf = (sketch: Sketch, hostname = "laptop01") => planSchedules(sketchConfig(sketch), { hostname });
const iso = (at: number) => new Date(at).toISOString().slice(0, 16);

function onlyPlan(sketch: Sketch) {
  const [plan, ...others] = plansOf(sketch);
  if (plan === undefined || others.length > 0) throw new Error("one plan expected");
  return plan;
}

describe("plans", () => {
  const sketch: Sketch = {
    schedules: ["0 2 * * *"],
    scheduling: { timezone: "Europe/Berlin" },
    jobs: [
      { id: "home" },
      { id: "hourly", schedules: ["@hourly"], scheduling: { timezone: "UTC", onMissed: "once" } },
      { id: "off", enabled: false },
      { id: "off-too", enabled: false, schedules: ["@daily"] },
      { id: "mail" },
    ],
  };

  test("the instance's runs the enabled jobs without their own, in order; the others are on their own", () => {
    const shown = plansOf(sketch).map(({ key, jobs, zone, scheduling }) => [key, jobs, zone.name, scheduling.onMissed]);
    expect(shown).toEqual([
      ["instance", ["home", "mail"], "Europe/Berlin", "skip"],
      ["job:hourly", ["hourly"], "UTC", "once"],
    ]);
  });

  test("there is none for the instance without a job or without an expression", () => {
    const own = { id: "a", schedules: ["@daily"] };
    expect(plansOf({ schedules: ["@daily"], jobs: [own] }).map(({ key }) => key)).toEqual(["job:a"]);
    expect(plansOf({ jobs: [{ id: "b" }] })).toEqual([]);
  });

  test("a mistake is refused, also in an expression that no job uses", () => {
    const own = { id: "a", schedules: ["@daily"] };
    expect(() => plansOf({ schedules: ["0 25 * * *"], jobs: [own] })).toThrow(OperatorError);
    expect(() => plansOf({ schedules: ["@daily"], scheduling: { timezone: "Mars" }, jobs: [] })).toThrow("Mars");
  });

  test("run now means every enabled job, in the order of the file", () => {
    expect(enabledJobs(sketchConfig(sketch))).toEqual(["home", "hourly", "mail"]);
  });
});

describe("jitter", () => {
  const sketch = { schedules: ["0 2 * * *"], scheduling: { jitterMs: hours(1) }, jobs: [{ id: "home" }] };

  test("is the same for one plan every day and after a restart", () => {
    const [first, second] = [onlyPlan(sketch), onlyPlan(sketch)];
    const times = upcomingTimes(first, Date.parse("2026-11-20T12:00:00Z"), 5);
    expect(new Set(times.map((time) => time.startsAt - time.scheduledFor))).toEqual(new Set([first.offsetMs]));
    expect(second.offsetMs).toBe(first.offsetMs);
    expect(first.offsetMs % 1000).toBe(0);
  });

  test("differs between hosts, instances and jobs, spreads over all of the time given, and stays below it", () => {
    const offsets = [
      ...Array.from({ length: 100 }, (_, index) => plansOf(sketch, `host${index}`)),
      ...Array.from({ length: 100 }, (_, index) => plansOf({ ...sketch, rsyncId: `instance${index}` })),
      plansOf({ ...sketch, jobs: Array.from({ length: 100 }, (_, id) => ({ id: `${id}`, schedules: ["@daily"] })) }),
    ].map((plans) => plans.map((plan) => plan.offsetMs));
    const all = offsets.flat();
    expect(all).toHaveLength(300);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all)).toBeLessThan(hours(1));
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const inQuarter = all.filter((offset) => Math.floor(offset / minutes(15)) === quarter);
      expect(inQuarter.length).toBeGreaterThan(40);
    }
  });

  test("of none moves nothing", () => {
    expect(onlyPlan({ ...sketch, scheduling: { jitterMs: 0 } }).offsetMs).toBe(0);
  });
});

describe("times of a plan", () => {
  const from = Date.parse("2026-11-20T12:00:00Z");

  test("are those of all its expressions, in order, each naming its expression", () => {
    const plan = onlyPlan({ schedules: ["0 2 * * *", "30 13 * * FRI"], jobs: [{ id: "home" }] });
    expect(upcomingTimes(plan, from, 3).map((time) => [iso(time.scheduledFor), time.schedule])).toEqual([
      ["2026-11-20T13:30", "30 13 * * FRI"],
      ["2026-11-21T02:00", "0 2 * * *"],
      ["2026-11-22T02:00", "0 2 * * *"],
    ]);
  });

  test("are one where expressions meet, with the label of the fixed one", () => {
    const plan = onlyPlan({ schedules: ["0 * * * *", "0 13 * * *"], jobs: [{ id: "home" }] });
    expect(upcomingTimes(plan, from, 2).map((time) => [iso(time.scheduledFor), time.localLabel])).toEqual([
      ["2026-11-20T13:00", "2026-11-20T13:00 UTC"],
      ["2026-11-20T14:00", null],
    ]);
  });

  test("are fewer than asked for when no more days come", () => {
    const plan = onlyPlan({ schedules: ["0 0 31 2 *"], jobs: [{ id: "home" }] });
    expect(upcomingTimes(plan, from, 3)).toEqual([]);
    expect(upcomingTimes(plan, from, 0)).toEqual([]);
  });

  test.each([
    ["a moment ago", "0 2 * * *", "2026-11-01T00:00:00Z", "2026-11-20T02:00:30Z", "2026-11-20T02:00"],
    ["at the end itself", "0 2 * * *", "2026-11-01T00:00:00Z", "2026-11-20T02:00:00Z", "2026-11-20T02:00"],
    ["years ago", "0 2 29 2 *", "2020-01-01T00:00:00Z", "2026-11-20T00:00:00Z", "2024-02-29T02:00"],
    ["many in between", "* * * * *", "2025-11-20T00:00:00Z", "2026-11-20T00:00:30Z", "2026-11-20T00:00"],
    ["not before the start, which does not count", "0 2 * * *", "2026-11-20T02:00:00Z", "2026-11-20T12:00:00Z", null],
  ])("the latest: %s", (_, schedule, after, until, expected) => {
    const plan = onlyPlan({ schedules: [schedule], jobs: [{ id: "home" }] });
    const latest = latestTime(plan, Date.parse(after), Date.parse(until));
    expect(latest === null ? null : iso(latest.scheduledFor)).toBe(expected);
  });
});
