import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { reportScheduleWarnings } from "../../../src/trigger/report-schedule-warnings.ts";
import { planSchedules } from "../../../src/trigger/schedule-plan.ts";
import { type LogLine, recordingLogger, sketchConfig } from "./schedule-fixture.ts";

const count = 20;
const jobs = Array.from({ length: count }, (_, index) => ({ id: `job${index}`, schedules: [`${index} 3 13 * FRI`] }));
const config = sketchConfig({ jobs: [...jobs, { id: "loose" }] });
const plans = planSchedules(config, { hostname: "laptop01" });
const now = Date.parse("2026-11-20T12:00:00Z");

test("logs every warning once, after the caller, one plan in each turn of the event loop", async () => {
  const lines: LogLine[] = [];
  reportScheduleWarnings(config, { plans, now, log: recordingLogger(lines) });
  const seen: number[] = [];
  for (let turns = 0; turns < count + 5; turns += 1) {
    seen.push(lines.length);
    await turn();
  }
  expect(seen[0]).toBe(0);
  expect(Math.max(...seen.slice(1).map((value, index) => value - (seen[index] ?? 0)))).toBe(1);
  expect(lines.map(({ kind, jobs: named }) => `${String(kind)} ${String(named)}`)).toEqual([
    ...jobs.map(({ id }) => `either-day ${id}`),
    "no-schedule loose",
  ]);
  expect(new Set(lines.map(({ level, message }) => `${level} ${message}`))).toEqual(new Set(["warn schedule warning"]));
});

test("says nothing more once it is ended", async () => {
  const lines: LogLine[] = [];
  const end = reportScheduleWarnings(config, { plans, now, log: recordingLogger(lines) });
  await turn();
  await turn();
  const sofar = lines.length;
  end();
  for (let turns = 0; turns < count; turns += 1) await turn();
  expect(sofar).toBeGreaterThan(0);
  expect(lines.length).toBe(sofar);
});

test("logs what goes wrong in it instead of throwing it at the process", async () => {
  const lines: LogLine[] = [];
  const broken = [{ ...plans[0]!, zone: undefined as never }];
  reportScheduleWarnings(config, { plans: broken, now, log: recordingLogger(lines) });
  await turn();
  await turn();
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual(["error schedules could not be looked at"]);
});
