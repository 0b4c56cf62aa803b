import { describe, expect, it } from "vitest";
import { createFineBootTime } from "../../../src/base/fine-boot-time.ts";

/** A machine whose true time goes on by `step` at each look at a clock. */
function machine(step: number) {
  let now = 12_345.678;
  let slept = 0;
  const look = (time: () => number) => () => {
    now += step;
    return time();
  };
  return {
    sleep: (ms: number) => void ((now += ms), (slept += ms)),
    truth: () => now,
    /** As another process has them, whose steady clock began at `start`. */
    sources: (start: number) => ({
      uptime: look(() => Math.floor(now / 10) * 10),
      steady: look(() => now - slept - start),
    }),
  };
}

describe("the time since boot for records", () => {
  it("is the true one to a fraction of a millisecond, in every process", () => {
    const { truth, sources } = machine(0.007);
    for (const start of [0, 111.1, 5000.005, 12_340]) {
      const time = createFineBootTime(sources(start));
      for (let times = 0; times < 1000; times += 1) expect(Math.abs(time() - truth())).toBeLessThan(0.1);
    }
  });

  it("counts the time that the machine slept", () => {
    const { truth, sources, sleep } = machine(0.007);
    const time = createFineBootTime(sources(99));
    time();
    sleep(3_600_000);
    expect(Math.abs(time() - truth())).toBeLessThan(0.1);
  });

  it("is right when the process is interrupted at one of the ticks", () => {
    const { truth, sources } = machine(0.007);
    const { uptime, steady } = sources(0);
    let looks = 0;
    const interrupted = () => {
      looks += 1;
      if (looks === 2) for (let times = 0; times < 500; times += 1) uptime();
      return steady();
    };
    const time = createFineBootTime({ uptime, steady: interrupted });
    expect(Math.abs(time() - truth())).toBeLessThan(0.1);
  });
});
