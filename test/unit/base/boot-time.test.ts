import { beforeEach, describe, expect, it } from "vitest";
import { createBootTime } from "../../../src/base/boot-time.ts";

describe("the time since boot", () => {
  let clocks: { uptime: number; steady: number; wall: number };
  let asked: number;
  /** What happens while the slow clock is asked. */
  let meanwhile: () => void;
  let bootTime: () => number;
  const pass = (ms: number) => {
    clocks = { uptime: clocks.uptime + ms, steady: clocks.steady + ms, wall: clocks.wall + ms };
  };
  const suspend = (ms: number) => {
    clocks = { ...clocks, uptime: clocks.uptime + ms, wall: clocks.wall + ms };
  };

  beforeEach(() => {
    clocks = { uptime: 50_000, steady: 7, wall: 1_700_000_000_000 };
    asked = 0;
    meanwhile = () => undefined;
    bootTime = createBootTime({
      uptime: () => {
        asked += 1;
        const { uptime } = clocks;
        meanwhile();
        return uptime;
      },
      steady: () => clocks.steady,
      wall: () => clocks.wall,
    });
  });

  it("goes on without the slow clock, which is asked once a second", () => {
    for (let ms = 0; ms <= 900; ms += 100) {
      expect(bootTime()).toBe(50_000 + ms);
      pass(100);
    }
    expect(asked).toBe(1);
    pass(200);
    expect([bootTime(), asked]).toEqual([51_200, 2]);
  });

  it.each([5, 1000, 3_600_000])("counts %i ms of suspend at once", (ms) => {
    bootTime();
    suspend(ms);
    expect(bootTime()).toBe(50_000 + ms);
    pass(10);
    expect(bootTime()).toBe(50_010 + ms);
  });

  it.each([-86_400_000, -5, 5, 86_400_000])("does not mind a wall clock that jumps by %i ms", (ms) => {
    bootTime();
    clocks.wall += ms;
    pass(10);
    expect(bootTime()).toBe(50_010);
  });

  it("never goes back, although the slow clock is the coarser one", () => {
    bootTime();
    pass(1500);
    clocks.uptime -= 9;
    const before = bootTime();
    pass(999);
    const later = bootTime();
    clocks.uptime -= 9;
    pass(2);
    expect(bootTime()).toBeGreaterThanOrEqual(later);
    expect(later).toBeGreaterThan(before);
  });

  it.each([pass, suspend])("counts a stop in the middle of the question once (%#)", (stop) => {
    meanwhile = () => {
      meanwhile = () => undefined;
      stop(600_000);
    };
    expect(bootTime()).toBe(650_000);
    pass(10);
    expect(bootTime()).toBe(650_010);
  });

  it("relies on no answer that takes too long each time", () => {
    meanwhile = () => pass(30);
    bootTime();
    pass(1);
    const truth = clocks.uptime;
    expect(bootTime()).toBeGreaterThanOrEqual(truth);
    expect(bootTime()).toBeLessThanOrEqual(clocks.uptime);
  });
});
