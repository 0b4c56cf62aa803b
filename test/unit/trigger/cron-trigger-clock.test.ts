import { describe, expect, test } from "vitest";
import { createMemoryLedger } from "../../../src/trigger/schedule-ledger.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { clockText, hours, minutes, setUpTrigger } from "./schedule-fixture.ts";

const jobs = [{ id: "home" }];
const nightly = { schedules: ["0 2 * * *"], jobs };
const nightlyOnce = { ...nightly, scheduling: { onMissed: "once" } } as const;

/** A ledger that has seen the run of that time, as after a restart. */
function ledgerWithRun(at: string) {
  const ledger = createMemoryLedger();
  ledger.claim("instance", Date.parse(at), null);
  return ledger;
}

function upcomingStart(sketch: Parameters<typeof setUpTrigger>[0]) {
  const { trigger } = setUpTrigger(sketch, { at: "2026-11-20T12:00:00Z" });
  trigger.start();
  return trigger.next()[0]?.next;
}

describe("the first start ever", () => {
  test("makes up for nothing, however long ago the last time was", async () => {
    const { clock, trigger, starts, missed } = setUpTrigger(nightlyOnce, { at: "2026-11-21T03:00:00Z" });
    trigger.start();
    await clock.advance(minutes(5));
    expect(starts).toEqual([]);
    expect(missed).toEqual([]);
  });

  test("within the jitter of a time starts it", async () => {
    const sketch = { ...nightly, scheduling: { jitterMs: hours(1) } };
    const { startsAt = 0 } = upcomingStart(sketch) ?? {};
    const at = new Date(startsAt - minutes(1)).toISOString();
    const { clock, trigger, starts } = setUpTrigger(sketch, { at });
    trigger.start();
    await clock.advance(minutes(1));
    expect(starts).toEqual([`${clockText(startsAt)} home`]);
  });

  test("is remembered: a time missed before the first run of all is made up", async () => {
    const before = setUpTrigger(nightlyOnce, { at: "2026-11-20T12:00:00Z" });
    before.trigger.start();
    before.trigger.stop();
    const { trigger, starts } = setUpTrigger(nightlyOnce, { at: "2026-11-21T09:00:00Z", ledger: before.ledger });
    trigger.start();
    expect(starts).toEqual(["21 09:00:00 home"]);
  });
});

describe("after a stop of the daemon", () => {
  const start = (sketch: Parameters<typeof setUpTrigger>[0], at: string) => {
    const set = setUpTrigger(sketch, { at, ledger: ledgerWithRun("2026-11-18T02:00:00Z") });
    set.trigger.start();
    return set;
  };

  test("several missed times are one run, which says which time it is for", async () => {
    const { clock, starts, missed, requests } = start(nightlyOnce, "2026-11-21T09:00:00Z");
    await clock.advance(hours(24));
    expect(starts).toEqual(["21 09:00:00 home", "22 02:00:00 home"]);
    const scheduledFor = Date.parse("2026-11-21T02:00:00Z");
    expect(missed).toEqual([{ jobs: ["home"], schedule: "0 2 * * *", scheduledFor, ran: true }]);
    expect(requests.map(({ cause }) => cause)).toMatchObject([{ scheduledFor, missed: true }, { missed: false }]);
  });

  test("with on_missed: skip they are reported and left out", async () => {
    const { clock, starts, missed } = start(nightly, "2026-11-21T09:00:00Z");
    await clock.advance(hours(24));
    expect(starts).toEqual(["22 02:00:00 home"]);
    expect(missed).toMatchObject([{ scheduledFor: Date.parse("2026-11-21T02:00:00Z"), ran: false }]);
  });

  test.each([
    ["within starting_deadline it is made up", "2026-11-21T04:00:00Z", ["21 04:00:00 home"]],
    ["after starting_deadline it is left out", "2026-11-21T04:00:01Z", []],
  ])("%s", (_, at, expected) => {
    const scheduling = { onMissed: "once", startingDeadlineMs: hours(2) } as const;
    const { starts, missed } = start({ ...nightly, scheduling }, at);
    expect(starts).toEqual(expected);
    expect(missed.map(({ ran }) => ran)).toEqual([expected.length > 0]);
  });

  test.each([
    ["a minute late is not missed, whatever on_missed says", "2026-11-19T02:01:00Z", ["19 02:01:00 home"], 0],
    ["more than a minute late is", "2026-11-19T02:01:01Z", [], 1],
  ])("%s", (_, at, expected, missedCount) => {
    const { starts, missed } = start(nightly, at);
    expect(starts).toEqual(expected);
    expect(missed).toHaveLength(missedCount);
  });

  test("a run on time makes up for those missed before it, also with on_missed: skip", () => {
    const { starts, missed } = start(nightly, "2026-11-21T02:00:30Z");
    expect(starts).toEqual(["21 02:00:30 home"]);
    expect(missed).toEqual([
      { jobs: ["home"], schedule: "0 2 * * *", scheduledFor: Date.parse("2026-11-19T02:00:00Z"), ran: true },
    ]);
  });

  test("a time that ran just before the restart does not run again", async () => {
    const ledger = ledgerWithRun("2026-11-21T02:00:00Z");
    const { clock, trigger, starts } = setUpTrigger(nightlyOnce, { at: "2026-11-21T02:00:05Z", ledger });
    trigger.start();
    await clock.advance(hours(1));
    expect(starts).toEqual([]);
  });

  test("a year of minutes is made up by one run", () => {
    const ledger = ledgerWithRun("2025-11-20T02:00:00Z");
    const sketch = { ...nightlyOnce, schedules: ["* 3 * * *"] };
    const { trigger, starts, requests } = setUpTrigger(sketch, { at: "2026-11-20T12:00:00Z", ledger });
    trigger.start();
    expect(starts).toHaveLength(1);
    expect(requests[0]?.cause).toMatchObject({ scheduledFor: Date.parse("2026-11-20T03:59:00Z") });
  });

  test("a record from the future, left by a wrong clock, does not silence the schedule", async () => {
    const ledger = ledgerWithRun("2036-01-01T02:00:00Z");
    const { clock, trigger, starts } = setUpTrigger(nightlyOnce, { at: "2026-11-20T12:00:00Z", ledger });
    trigger.start();
    await clock.advance(hours(24));
    expect(starts).toEqual(["21 02:00:00 home"]);
  });
});

test("a record from the future hides nothing that was missed", () => {
  const ledger = ledgerWithRun("2026-11-18T02:00:00Z");
  ledger.claim("instance", Date.parse("2036-01-01T02:00:00Z"), null);
  const { trigger, starts, missed } = setUpTrigger(nightlyOnce, { at: "2026-11-21T09:00:00Z", ledger });
  trigger.start();
  expect(starts).toEqual(["21 09:00:00 home"]);
  expect(missed).toMatchObject([{ scheduledFor: Date.parse("2026-11-21T02:00:00Z"), ran: true }]);
});

describe("a host that sleeps, or a clock that is put forward", () => {
  test("is noticed within twenty seconds, and what was missed runs once", async () => {
    const { clock, trigger, starts, missed } = setUpTrigger(nightlyOnce, { at: "2026-11-20T12:00:00Z" });
    trigger.start();
    await clock.advance(minutes(1));
    clock.jumpWallClock(hours(72));
    await clock.advance(20_000);
    expect(starts).toEqual(["23 12:01:20 home"]);
    expect(missed).toHaveLength(1);
    await clock.advance(hours(24));
    expect(starts.slice(1)).toEqual(["24 02:00:00 home"]);
  });

  test("does not put off a time that came while it slept for a moment only", async () => {
    const { clock, trigger, starts, missed } = setUpTrigger(nightly, { at: "2026-11-21T01:59:30Z" });
    trigger.start();
    clock.jumpWallClock(40_000);
    await clock.advance(20_000);
    expect(starts).toEqual(["21 02:00:30 home"]);
    expect(missed).toEqual([]);
  });
});

describe("a clock that is put back", () => {
  test("lets no time run twice, and later times run as ever", async () => {
    const sketch = { schedules: ["0 * * * *"], jobs };
    const { clock, trigger, starts, lines } = setUpTrigger(sketch, { at: "2026-11-21T01:30:00Z" });
    trigger.start();
    await clock.advance(hours(2));
    clock.jumpWallClock(-hours(2));
    await clock.advance(hours(4));
    expect(starts.map((line) => line.slice(3))).toEqual(["02", "03", "04", "05"].map((hour) => `${hour}:00:00 home`));
    expect(lines.filter((line) => line.message === "this time has run already; it is not run again")).toHaveLength(2);
  });

  test("and then forward again, does not call a time missed that has run", async () => {
    const { clock, trigger, starts, missed } = setUpTrigger(nightlyOnce, { at: "2026-11-21T01:30:00Z" });
    trigger.start();
    await clock.advance(hours(1));
    clock.jumpWallClock(-hours(2));
    await clock.advance(minutes(1));
    clock.jumpWallClock(hours(8));
    await clock.advance(minutes(1));
    expect(starts).toEqual(["21 02:00:00 home"]);
    expect(missed).toEqual([]);
  });

  test("by years, after it had been wrong, lets the schedule go on at the right time", async () => {
    const { clock, trigger, starts } = setUpTrigger(nightly, { at: "2036-01-01T01:00:00Z" });
    trigger.start();
    await clock.advance(hours(2));
    clock.jumpWallClock(Date.parse("2026-11-20T12:00:00Z") - clock.now());
    await clock.advance(hours(24));
    expect(starts).toEqual(["01 02:00:00 home", "21 02:00:00 home"]);
  });

  test("after a wrong step forward that only skipped, still runs the night it belongs to", async () => {
    const { clock, trigger, starts } = setUpTrigger(nightly, { at: "2026-11-20T20:00:00Z" });
    trigger.start();
    clock.jumpWallClock(hours(10));
    await clock.advance(minutes(1));
    clock.jumpWallClock(-hours(10));
    await clock.advance(hours(8));
    expect(starts).toEqual(["21 02:00:00 home"]);
  });

  test("into the jitter of a time, still starts it", async () => {
    const sketch = { ...nightly, scheduling: { jitterMs: hours(1) } };
    const { clock, trigger, starts } = setUpTrigger(sketch, { at: "2026-11-22T12:00:00Z" });
    trigger.start();
    const { startsAt = 0 } = trigger.next()[0]?.next ?? {};
    clock.jumpWallClock(startsAt - hours(48) - minutes(1) - clock.now());
    await clock.advance(minutes(1));
    expect(starts).toEqual([`${clockText(startsAt - hours(48))} home`]);
  });

  test("by a second, right at the time, starts one run", async () => {
    const { clock, trigger, starts } = setUpTrigger(nightly, { at: "2026-11-21T01:59:00Z" });
    trigger.start();
    await clock.advance(minutes(1));
    clock.jumpWallClock(-1000);
    await clock.advance(minutes(5));
    expect(starts).toEqual(["21 02:00:00 home"]);
  });

  test("lets no local time run twice when the zone's rules say it came twice", async () => {
    const ledger = createMemoryLedger();
    ledger.claim("instance", Date.parse("2026-11-21T01:00:00Z"), "2026-11-21T02:00 UTC");
    const clock = new FakeClock("2026-11-21T01:30:00Z");
    const { trigger, starts } = setUpTrigger(nightly, { at: "", clock, ledger });
    trigger.start();
    await clock.advance(hours(1));
    expect(starts).toEqual([]);
  });
});
