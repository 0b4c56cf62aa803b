import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { planSchedules } from "../../../src/trigger/schedule-plan.ts";
import { findScheduleWarnings } from "../../../src/trigger/schedule-warnings.ts";
import { copyFixtures, fixtureEnv } from "../../support/config-fixtures.ts";
import { hours, minutes, sketchConfig } from "./schedule-fixture.ts";

type Sketch = Parameters<typeof sketchConfig>[0];

function warningsOf(sketch: Sketch) {
  const config = sketchConfig(sketch);
  const plans = planSchedules(config, { hostname: "laptop01" });
  return findScheduleWarnings(config, { plans, now: Date.parse("2026-11-20T12:00:00Z") });
}

function kindsOf(schedule: string, scheduling: Sketch["scheduling"] = {}) {
  return warningsOf({ schedules: [schedule], scheduling, jobs: [{ id: "home" }] }).map(({ kind }) => kind);
}

describe("day fields", () => {
  test.each([
    ["0 3 * * 1-5", ["numeric-weekday"]],
    ["0 3 * * MON-FRI", []],
    ["0 3 * * FRI#2", []],
    ["0 3 * * 7", []],
    ["0 3 * * 0-6", []],
    ["0 3 * * */2", ["numeric-weekday"]],
    ["0 3 13 * FRI", ["either-day"]],
    ["0 3 */2 * MON", ["both-days"]],
    ["0 3 1-7 * */7", ["numeric-weekday", "both-days"]],
    ["0 3 13 * *", []],
    ["@weekly", []],
  ])("%s: %j", (schedule, expected) => {
    expect(kindsOf(schedule)).toEqual(expected);
  });

  test("with numbers are as they were meant when the file says that it is written for Linux cron", () => {
    expect(kindsOf("0 3 * * 1-5", { dialectChosen: true })).toEqual([]);
    expect(kindsOf("0 3 13 * 5", { dialectChosen: true })).toEqual(["either-day"]);
  });

  test("are as they were meant when they are read as the original does", () => {
    expect(kindsOf("0 3 13 * 0-4", { cronDialect: "apscheduler" })).toEqual([]);
  });
});

describe("clock changes within a year", () => {
  const berlin = { timezone: "Europe/Berlin" };
  const messages = (schedule: string, scheduling: Sketch["scheduling"]) =>
    warningsOf({ schedules: [schedule], scheduling, jobs: [{ id: "home" }] }).map(({ message }) => message);

  test("a fixed time is told when it moves and when it comes twice", () => {
    expect(messages("30 2 * * *", berlin)).toEqual([
      "2027-03-28T02:30 does not exist in Europe/Berlin: it runs right after the change, at 2027-03-28 03:00:00 +02:00",
      "2027-10-31T02:30 comes twice in Europe/Berlin: it runs the first time only",
    ]);
  });

  test("a wildcard time in certain hours is told when it is left out and when it repeats", () => {
    expect(messages("*/10 2 * * *", berlin)).toEqual([
      "2027-03-28T02:00 does not exist in Europe/Berlin: times with * in minute or hour are left out there",
      "2027-10-31T02:00 comes twice in Europe/Berlin: times with * in minute or hour run both times",
    ]);
  });

  test("a zone of the other half of the world has its fold first", () => {
    expect(kindsOf("45 1 * * *", { timezone: "Australia/Lord_Howe" })).toEqual(["clock-fold"]);
    expect(kindsOf("15 2 * * *", { timezone: "Australia/Lord_Howe" })).toEqual(["clock-gap"]);
  });

  test.each([
    ["every hour keeps its distance", "15 * * * *", "Europe/Berlin"],
    ["the hour is not touched", "30 4 * * *", "Europe/Berlin"],
    ["the day is not touched", "30 2 * * MON", "Europe/Berlin"],
    ["the zone has no clock changes", "30 2 * * *", "Asia/Kolkata"],
  ])("nothing is said when %s", (_, schedule, timezone) => {
    expect(kindsOf(schedule, { timezone })).toEqual([]);
  });
});

test("nothing is said of a date that never comes: the loader has said it", () => {
  expect(kindsOf("0 0 31 2 *", { timezone: "Europe/Berlin" })).toEqual([]);
});

test("a jitter longer than the shortest interval is told", () => {
  expect(kindsOf("*/15 * * * *", { jitterMs: minutes(15) })).toEqual([]);
  expect(kindsOf("*/15 * * * *", { jitterMs: minutes(16) })).toEqual(["long-jitter"]);
  expect(kindsOf("0 3,4 * * *", { jitterMs: hours(2) })).toEqual(["long-jitter"]);
  expect(kindsOf("0 3 * * *", { jitterMs: hours(24) })).toEqual([]);
});

test("jobs that no schedule runs are told, and a schedule that runs no job", () => {
  const own = { id: "own", schedules: ["0 4 * * *"] };
  const shown = (sketch: Sketch) => warningsOf(sketch).map(({ kind, jobs }) => [kind, jobs]);
  expect(shown({ jobs: [{ id: "home" }, own, { id: "off", enabled: false }] })).toEqual([["no-schedule", ["home"]]]);
  expect(shown({ schedules: ["0 4 * * *"], jobs: [own] })).toEqual([["no-jobs", []]]);
});

test("a job that watches is not missing a schedule", async () => {
  const watched = await loadConfig(join(await copyFixtures("valid"), "watched.yaml"), { env: fixtureEnv });
  expect(findScheduleWarnings(watched.config, { plans: [], now: 0 })).toEqual([]);
});

test("every job with the same odd expression is named", () => {
  const schedules = ["0 3 13 * FRI"];
  const shown = warningsOf({
    jobs: [
      { id: "a", schedules },
      { id: "b", schedules },
    ],
  });
  expect(shown.map(({ jobs, schedule }) => [jobs, schedule])).toEqual([
    [["a"], "0 3 13 * FRI"],
    [["b"], "0 3 13 * FRI"],
  ]);
});
