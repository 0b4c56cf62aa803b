import { describe, expect, test } from "vitest";
import { createMemoryLedger } from "../../../src/trigger/schedule-ledger.ts";
import type { ScheduleLedger } from "../../../src/trigger/schedule-ledger.ts";
import { hours, minutes, setUpTrigger } from "./schedule-fixture.ts";

const nightly = { schedules: ["0 2 * * *"], jobs: [{ id: "home" }, { id: "mail" }] };

describe("a schedule that is due", () => {
  test("starts the jobs as one run at its time, each day", async () => {
    const { clock, trigger, starts, requests } = setUpTrigger(nightly, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    await clock.advance(hours(48));
    expect(starts).toEqual(["21 02:00:00 home mail", "22 02:00:00 home mail"]);
    expect(requests[0]?.cause).toEqual({
      kind: "schedule",
      schedule: "0 2 * * *",
      scheduledFor: Date.parse("2026-11-21T02:00:00Z"),
      missed: false,
    });
  });

  test("runs jobs with a schedule of their own apart from the others", async () => {
    const jobs = [
      { id: "home" },
      { id: "mail", schedules: ["30 1 * * *", "0 2 * * *"] },
      { id: "off", enabled: false },
    ];
    const { clock, trigger, starts } = setUpTrigger({ schedules: ["0 2 * * *"], jobs }, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    await clock.advance(hours(24));
    expect(starts).toEqual(["21 01:30:00 mail", "21 02:00:00 home", "21 02:00:00 mail"]);
  });

  test("counts two expressions that meet as one time", async () => {
    const sketch = { schedules: ["0 2 * * *", "0 */2 * * *"], jobs: [{ id: "home" }] };
    const { clock, trigger, starts } = setUpTrigger(sketch, { at: "2026-11-21T01:00:00Z" });
    trigger.start();
    await clock.advance(hours(4));
    expect(starts).toEqual(["21 02:00:00 home", "21 04:00:00 home"]);
  });

  test("starts later by the jitter, and says so beforehand", async () => {
    const sketch = { ...nightly, scheduling: { jitterMs: hours(1) } };
    const { clock, trigger, requests } = setUpTrigger(sketch, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    const next = trigger.next()[0]?.next;
    const offset = (next?.startsAt ?? 0) - (next?.scheduledFor ?? 0);
    expect(next?.scheduledFor).toBe(Date.parse("2026-11-21T02:00:00Z"));
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThan(hours(1));
    await clock.advance((next?.startsAt ?? 0) - clock.now() - 1);
    expect(requests).toHaveLength(0);
    await clock.advance(1);
    expect(requests).toHaveLength(1);
  });

  test("is announced at the start, after each run, and as null when it never comes", async () => {
    const sketch = { schedules: ["0 2 * * *"], jobs: [{ id: "home" }, { id: "never", schedules: ["0 0 31 2 *"] }] };
    const { clock, trigger, announced } = setUpTrigger(sketch, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    await clock.advance(hours(15));
    const at = (date: string) => Date.parse(`${date}T02:00:00Z`);
    expect(announced).toEqual([
      { jobs: ["home"], schedule: "0 2 * * *", last: null, next: at("2026-11-21") },
      { jobs: ["never"], schedule: "0 0 31 2 *", last: null, next: null },
      { jobs: ["home"], schedule: "0 2 * * *", last: at("2026-11-21"), next: at("2026-11-22") },
    ]);
    expect(trigger.next().map(({ key, next }) => [key, next?.startsAt])).toEqual([
      ["instance", at("2026-11-22")],
      ["job:never", undefined],
    ]);
  });

  test("is announced with the time that came due last, also after a restart and when it was missed", async () => {
    const sketch = { schedules: ["0 2 * * *"], jobs: [{ id: "home" }] };
    const at = (date: string) => Date.parse(`${date}T02:00:00Z`);
    const before = setUpTrigger(sketch, { at: "2026-11-20T12:00:00Z" });
    before.trigger.start();
    await before.clock.advance(hours(15));
    before.trigger.stop();
    const { ledger } = before;
    const again = setUpTrigger(sketch, { at: "2026-11-21T12:00:00Z", ledger });
    again.trigger.start();
    expect(again.announced.map(({ last }) => last)).toEqual([at("2026-11-21")]);
    const late = setUpTrigger(sketch, { at: "2026-11-23T12:00:00Z", ledger });
    late.trigger.start();
    expect(late.requests).toEqual([]);
    expect(late.announced.at(-1)).toMatchObject({ last: at("2026-11-23"), next: at("2026-11-24") });
  });

  test("is not announced as due before a plan that is new has had a time", () => {
    const { trigger, announced, ledger } = setUpTrigger(nightly, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    trigger.stop();
    const again = setUpTrigger(nightly, { at: "2026-11-20T13:00:00Z", ledger });
    again.trigger.start();
    expect([...announced, ...again.announced].map(({ last }) => last)).toEqual([null, null]);
  });

  test("is logged at the start with its next three times in its own zone", () => {
    const sketch = { ...nightly, scheduling: { timezone: "Europe/Berlin" } };
    const { trigger, lines } = setUpTrigger(sketch, { at: "2026-10-23T12:00:00Z" });
    trigger.start();
    expect(lines).toEqual([
      {
        level: "info",
        message: "next times",
        jobs: ["home", "mail"],
        schedules: ["0 2 * * *"],
        timezone: "Europe/Berlin",
        next: ["2026-10-24 02:00:00 +02:00", "2026-10-25 02:00:00 +02:00", "2026-10-26 02:00:00 +01:00"],
      },
    ]);
  });

  test("does not start any more once the trigger is stopped", async () => {
    const { clock, trigger, starts } = setUpTrigger(nightly, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    trigger.stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(hours(24));
    expect(starts).toEqual([]);
    expect(trigger.next()).toEqual([]);
  });

  test("runs once where the clocks go back, though its hour comes twice", async () => {
    const sketch = { schedules: ["15 1,2,3 * * *"], jobs: [{ id: "home" }], scheduling: { timezone: "Europe/Berlin" } };
    const { clock, trigger, starts } = setUpTrigger(sketch, { at: "2026-10-24T22:00:00Z" });
    trigger.start();
    await clock.advance(hours(5));
    expect(starts).toEqual(["24 23:15:00 home", "25 00:15:00 home", "25 02:15:00 home"]);
  });
});

describe("many schedules", () => {
  const jobs = Array.from({ length: 1000 }, (_, index) => ({
    id: `job${index}`,
    schedules: [`${index % 60} 2 * * *`],
  }));

  test("share one timer, which wakes at most once in twenty seconds while nothing is due", async () => {
    const { clock, trigger, requests } = setUpTrigger({ jobs }, { at: "2026-11-20T12:00:00Z" });
    let wakeUps = 0;
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (ms, run) => setTimer(ms, () => void ((wakeUps += 1), run()));
    trigger.start();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(minutes(10));
    expect(clock.pendingTimers).toBe(1);
    expect(wakeUps).toBe(30);
    expect(requests).toHaveLength(0);
  });

  test("all start, in the order of their times", async () => {
    const { clock, trigger, starts } = setUpTrigger({ jobs }, { at: "2026-11-21T01:59:00Z" });
    trigger.start();
    await clock.advance(hours(1) + minutes(1));
    expect(starts).toHaveLength(1000);
    expect(starts).toEqual(starts.toSorted((a, b) => a.slice(0, 11).localeCompare(b.slice(0, 11))));
    expect(new Set(starts).size).toBe(1000);
  });

  test("need no timer at all when none will ever come", () => {
    const { clock, trigger } = setUpTrigger({ jobs: [{ id: "a", schedules: ["0 0 30 2 *"] }] }, { at: "2026-11-20" });
    trigger.start();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a ledger that fails", () => {
  const broken: ScheduleLedger = {
    lastScheduled: () => {
      throw new Error("disk I/O error");
    },
    claim: () => {
      throw new Error("disk I/O error");
    },
    note: () => {
      throw new Error("disk I/O error");
    },
  };

  test("stops no schedule; it is logged once and counted each time", async () => {
    const { clock, trigger, starts, lines } = setUpTrigger(nightly, { at: "2026-11-20T12:00:00Z", ledger: broken });
    trigger.start();
    await clock.advance(hours(48));
    expect(starts).toEqual(["21 02:00:00 home mail", "22 02:00:00 home mail"]);
    expect(lines.filter((line) => line.level === "warn").map((line) => [line.message, line.error])).toEqual([
      ["the record of scheduled runs fails; schedules go on", "disk I/O error"],
    ]);
    expect(trigger.ledgerFailures()).toBe(4);
  });

  test("still lets nothing run twice when the clock goes back", async () => {
    const { clock, trigger, starts } = setUpTrigger(nightly, { at: "2026-11-21T01:00:00Z", ledger: broken });
    trigger.start();
    await clock.advance(hours(2));
    clock.jumpWallClock(-hours(2));
    await clock.advance(hours(2));
    expect(starts).toEqual(["21 02:00:00 home mail"]);
  });

  test("is used again as soon as it works", async () => {
    const memory = createMemoryLedger();
    let works = false;
    const ledger: ScheduleLedger = {
      lastScheduled: (...asked) => (works ? memory : broken).lastScheduled(...asked),
      claim: (...claim) => (works ? memory : broken).claim(...claim),
      note: (...first) => (works ? memory : broken).note(...first),
    };
    const { clock, trigger, lines } = setUpTrigger(nightly, { at: "2026-11-20T12:00:00Z", ledger });
    trigger.start();
    await clock.advance(hours(15));
    works = true;
    await clock.advance(hours(24));
    expect(memory.lastScheduled("instance", Number.MAX_SAFE_INTEGER)).toBe(Date.parse("2026-11-22T02:00:00Z"));
    expect(lines.map((line) => line.message)).toContain("the record of scheduled runs works again");
  });
});

test("a run that is not accepted is logged, and the next one is tried all the same", async () => {
  const { clock, trigger, requests, lines } = setUpTrigger(nightly, { at: "2026-11-20T12:00:00Z" });
  const push = requests.push.bind(requests);
  requests.push = (...items) => {
    requests.push = push;
    throw new Error(`queue is closed for ${items.length}`);
  };
  trigger.start();
  await clock.advance(hours(48));
  expect(requests).toHaveLength(1);
  expect(lines.find((line) => line.level === "error")).toMatchObject({
    message: "scheduled run was not accepted",
    error: "queue is closed for 1",
  });
});
