import { expect, test } from "vitest";
import { reportScheduleWarnings } from "../../../src/trigger/report-schedule-warnings.ts";
import { planSchedules, type SchedulePlan } from "../../../src/trigger/schedule-plan.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type LogLine, recordingLogger, sketchConfig } from "./schedule-fixture.ts";

const ids = Array.from({ length: 20 }, (_, index) => `job${index}`);
const jobs = ids.map((id, index) => ({ id, schedules: [`${index} 3 13 * FRI`] }));
const config = sketchConfig({ jobs: [...jobs, { id: "loose" }] });
const plans = planSchedules(config, { hostname: "laptop01" });

function report(of: readonly SchedulePlan[] = plans) {
  const clock = new FakeClock("2026-11-20T12:00:00Z");
  const lines: LogLine[] = [];
  const end = reportScheduleWarnings(config, { plans: of, clock, log: recordingLogger(lines) });
  return { clock, lines, end };
}

test("logs every warning once, after the caller has gone on, a plan at a time", async () => {
  const { clock, lines } = report();
  const seen: number[] = [lines.length];
  for (let elapsed = 0; elapsed < 100; elapsed += 1) {
    await clock.advance(1);
    seen.push(lines.length);
  }
  expect(seen[0]).toBe(0);
  expect(Math.max(...seen.slice(1).map((count, index) => count - (seen[index] ?? 0)))).toBe(1);
  expect(lines.map(({ kind, jobs: named }) => `${String(kind)} ${String(named)}`)).toEqual([
    ...ids.map((id) => `either-day ${id}`),
    "no-schedule loose",
  ]);
  expect(new Set(lines.map(({ level, message }) => `${level} ${message}`))).toEqual(new Set(["warn schedule warning"]));
});

test("says nothing more once it is ended", async () => {
  const { clock, lines, end } = report();
  await clock.advance(10);
  const sofar = lines.length;
  end();
  await clock.advance(1000);
  expect(sofar).toBeGreaterThan(0);
  expect(lines.length).toBe(sofar);
});

test("logs what goes wrong in it instead of throwing it at the process", async () => {
  const { clock, lines } = report(plans.map((plan) => ({ ...plan, zone: undefined as never })));
  await clock.advance(100);
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual(["error schedules could not be looked at"]);
});
