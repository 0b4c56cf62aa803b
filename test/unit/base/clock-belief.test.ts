import { describe, expect, it } from "vitest";
import { believedFrom, believedNow, type ClockBelief, isInDoubt, judgeClock } from "../../../src/base/clock-belief.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const hour = 3_600_000;
const day = 24 * hour;
const decade = 3652 * day;

/** One director after the other on one machine, each looking at the clock when it is told to. */
function watchClock(before?: ClockBelief) {
  const clock = new FakeClock();
  const start = clock.now();
  let belief: ClockBelief = before ?? { believed: { wall: start, boot: undefined }, strange: null };
  const look = (): "believed" | "doubted" => {
    belief = judgeClock(belief, { wall: clock.now(), boot: clock.monotonic() });
    return isInDoubt(belief) ? "doubted" : "believed";
  };
  const now = () => believedNow(belief, clock.now());
  return {
    ...{ clock, start, look, now },
    belief: () => belief,
    believedFrom: () => believedFrom(belief, { wall: clock.now(), boot: clock.monotonic() }),
    /** What is left of this life is what it wrote down. */
    restart: () => {
      const forget = (reading: ClockBelief["believed"]) => (reading === null ? null : { ...reading, boot: undefined });
      belief = { believed: forget(belief.believed), strange: forget(belief.strange) };
    },
    /** Another start, so much later by the wall clock: nothing measured that time. */
    startAfter(ms: number) {
      this.restart();
      clock.jumpWallClock(ms);
      return look();
    },
  };
}

describe("a clock that goes on", () => {
  it("is believed however long nobody looked, also over suspend", async () => {
    const { clock, look, now } = watchClock();
    expect(look()).toBe("believed");
    await clock.advance(100 * day);
    clock.suspend(300 * day);
    expect(look()).toBe("believed");
    expect(now()).toBe(clock.now());
  });

  it("is believed at a start after up to sixty days", () => {
    const watch = watchClock();
    expect(watch.startAfter(60 * day)).toBe("believed");
    expect(watch.startAfter(60 * day)).toBe("believed");
    expect(watch.startAfter(60 * day + 1)).toBe("doubted");
  });

  it("may be corrected by seconds in either direction", () => {
    const { clock, look, now, belief } = watchClock();
    look();
    for (const correction of [-5000, 2000, 4000]) {
      clock.jumpWallClock(correction);
      expect(look()).toBe("believed");
      expect(now()).toBe(clock.now());
    }
    expect(belief().strange).toBeNull();
  });
});

describe("a clock that is suddenly far ahead", () => {
  it("is doubted, and ages are counted from before", async () => {
    const { clock, look, now, start } = watchClock();
    look();
    await clock.advance(hour);
    clock.jumpWallClock(decade);
    expect(look()).toBe("doubted");
    expect(now()).toBe(start);
    await clock.advance(6 * day);
    expect(look()).toBe("doubted");
    expect(now()).toBe(start);
  });

  it("is believed when it has gone on for a week", async () => {
    const { clock, look, now, believedFrom } = watchClock();
    look();
    clock.jumpWallClock(decade);
    look();
    const until = clock.now() + 7 * day;
    expect(believedFrom()).toBe(until);
    await clock.advance(7 * day - 1);
    expect(look()).toBe("doubted");
    await clock.advance(1);
    expect(look()).toBe("believed");
    expect(now()).toBe(until);
  });

  it("does not get over a week by being set again", async () => {
    const { clock, look, believedFrom } = watchClock();
    look();
    clock.jumpWallClock(decade);
    look();
    clock.jumpWallClock(8 * day);
    expect(look()).toBe("doubted");
    // What is told to people is a time to come.
    expect(believedFrom()).toBe(clock.now() + 7 * day);
    await clock.advance(7 * day);
    expect(look()).toBe("believed");
  });

  it("is believed over restarts, when a week has gone by on it", async () => {
    const watch = watchClock();
    watch.look();
    watch.clock.jumpWallClock(decade);
    watch.look();
    for (let days = 1; days < 7; days += 1) {
      await watch.clock.advance(day);
      expect(watch.startAfter(0)).toBe("doubted");
    }
    await watch.clock.advance(day);
    expect(watch.startAfter(0)).toBe("believed");
  });

  it("is believed at once when it is right again", async () => {
    const { clock, look, now } = watchClock();
    look();
    clock.jumpWallClock(decade);
    look();
    await clock.advance(hour);
    clock.jumpWallClock(-decade);
    expect(look()).toBe("believed");
    expect(now()).toBe(clock.now());
  });

  it("is doubted anew each time", async () => {
    const { clock, look } = watchClock();
    for (let round = 0; round < 3; round += 1) {
      expect(look()).toBe("believed");
      clock.jumpWallClock(decade);
      expect(look()).toBe("doubted");
      await clock.advance(3 * day);
      expect(look()).toBe("doubted");
      clock.jumpWallClock(-decade);
    }
  });

  it("has to go on for a week again when it leaps once more", async () => {
    const { clock, look, now, start, believedFrom } = watchClock();
    look();
    clock.jumpWallClock(decade);
    look();
    await clock.advance(6 * day);
    clock.jumpWallClock(decade);
    expect(look()).toBe("doubted");
    expect(believedFrom()).toBe(clock.now() + 8 * day);
    await clock.advance(day);
    expect(look()).toBe("doubted");
    // What it was the first time has lasted, and is what the leap after it is measured by.
    expect(now()).toBe(start + decade);
    await clock.advance(7 * day);
    expect(look()).toBe("believed");
  });

  it("that starts in the same wrong moment with every boot is never believed", () => {
    const watch = watchClock();
    watch.look();
    watch.startAfter(decade + hour);
    for (let boot = 0; boot < 10; boot += 1) expect(watch.startAfter(boot % 2 === 0 ? -hour : hour)).toBe("doubted");
    expect(watch.now()).toBe(watch.start);
  });
});

describe("a director that is started once every quarter", () => {
  it("counts ages from the start before, so that it deletes a quarter later", () => {
    const watch = watchClock();
    watch.look();
    for (let quarter = 1; quarter < 10; quarter += 1) {
      expect(watch.startAfter(91 * day)).toBe("doubted");
      expect(watch.now()).toBe(watch.start + (quarter - 1) * 91 * day);
    }
  });
});

describe("a clock that has gone back", () => {
  it("deletes nothing that is not old by it", () => {
    const { clock, look, now } = watchClock();
    look();
    clock.jumpWallClock(-decade);
    expect(look()).toBe("believed");
    expect(now()).toBe(clock.now());
  });

  it("may come back within a day: a machine without a battery begins in the past at each boot", async () => {
    const watch = watchClock();
    watch.look();
    for (let boot = 1; boot < 5; boot += 1) {
      expect(watch.startAfter(-decade)).toBe("believed");
      await watch.clock.advance(hour);
      if (boot % 2 === 0) expect(watch.look()).toBe("believed");
      watch.clock.jumpWallClock(decade + 30 * day);
      expect(watch.look()).toBe("believed");
      expect(watch.now()).toBe(watch.clock.now());
    }
  });

  it("may come back in the next life, whatever this one has seen last", () => {
    const watch = watchClock();
    watch.look();
    watch.startAfter(-decade);
    expect(watch.startAfter(decade + day)).toBe("believed");
  });

  it("is not believed when it leaps ahead again within the day, to before the time last seen", async () => {
    const watch = watchClock();
    watch.look();
    watch.clock.jumpWallClock(-decade);
    watch.look();
    const behind = watch.clock.now();
    await watch.clock.advance(hour);
    watch.clock.jumpWallClock(decade - 100 * day);
    watch.look();
    expect(watch.now()).toBe(behind + 60 * day);
  });

  it("is what counts after a day: a time last seen in the future must not cover the next leap", async () => {
    const watch = watchClock();
    watch.look();
    watch.clock.jumpWallClock(decade);
    watch.look();
    await watch.clock.advance(7 * day);
    expect(watch.look()).toBe("believed");
    watch.clock.jumpWallClock(-decade);
    expect(watch.look()).toBe("believed");
    await watch.clock.advance(day);
    expect(watch.look()).toBe("believed");
    watch.clock.jumpWallClock(decade);
    expect(watch.look()).toBe("doubted");
  });

  it("is doubted when it goes from there to beyond what was ever seen, at once or in the next life", () => {
    const watch = watchClock();
    watch.look();
    watch.startAfter(-decade);
    expect(watch.startAfter(2 * decade)).toBe("doubted");
    expect(watch.now()).toBe(watch.start);
    watch.clock.jumpWallClock(-2 * decade);
    expect(watch.look()).toBe("believed");
    watch.clock.jumpWallClock(2 * decade);
    expect(watch.look()).toBe("doubted");
    expect(watch.now()).toBe(watch.start);
  });
});

describe("a clock of which nothing is known", () => {
  it("has to go on for a week before anything is old by it", async () => {
    const { clock, look, now } = watchClock({ believed: null, strange: null });
    expect(look()).toBe("doubted");
    expect(now()).toBe(0);
    await clock.advance(7 * day - 1);
    expect(look()).toBe("doubted");
    await clock.advance(1);
    expect(look()).toBe("believed");
    expect(now()).toBe(clock.now());
  });

  it("begins anew when it is set back", async () => {
    const { clock, look, start } = watchClock({ believed: null, strange: null });
    clock.jumpWallClock(decade);
    look();
    await clock.advance(6 * day);
    clock.jumpWallClock(-decade);
    expect(look()).toBe("doubted");
    await clock.advance(6 * day);
    expect(look()).toBe("doubted");
    await clock.advance(day);
    expect(look()).toBe("believed");
    expect(clock.now()).toBe(start + 13 * day);
  });
});
