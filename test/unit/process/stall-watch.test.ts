import { expect, it, vi } from "vitest";
import { watchForStall } from "../../../src/process/stall-watch.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function watch(bytes: () => Record<number, number> | undefined) {
  const clock = new FakeClock();
  const onStall = vi.fn<() => void>();
  const bytesMoved = () => {
    const now = bytes();
    return now === undefined ? undefined : new Map(Object.entries(now).map(([pid, moved]) => [Number(pid), moved]));
  };
  return { clock, onStall, stall: watchForStall({ timeoutMs: 1000, clock, bytesMoved, onStall }) };
}

it("reports a child that is silent and moves nothing, once", async () => {
  const { clock, onStall } = watch(() => ({ 7: 1000 }));
  await clock.advance(999);
  expect(onStall).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(onStall).toHaveBeenCalledTimes(1);
  await clock.advance(60_000);
  expect(onStall).toHaveBeenCalledTimes(1);
});

it("waits on while bytes move, and takes keep-alives for nothing", async () => {
  let moved = 0;
  const { clock, onStall } = watch(() => ({ 7: moved }));
  for (let round = 0; round < 5; round += 1) {
    moved += 64 * 1024;
    await clock.advance(1000);
  }
  expect(onStall).not.toHaveBeenCalled();
  moved += 100;
  await clock.advance(1000);
  expect(onStall).toHaveBeenCalledTimes(1);
});

it("waits on while there is output", async () => {
  const { clock, onStall, stall } = watch(() => ({ 7: 0 }));
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(500);
    stall.sawOutput();
    await clock.advance(500);
  }
  expect(onStall).not.toHaveBeenCalled();
  await clock.advance(1000);
  expect(onStall).toHaveBeenCalledTimes(1);
});

it("counts a new process whole and does not hold an ended one against the rest", async () => {
  const looks: Record<number, number>[] = [{ 7: 10_000_000 }, { 8: 70_000 }, { 8: 70_001 }];
  const { clock, onStall } = watch(() => looks.shift());
  await clock.advance(2000);
  expect(onStall).not.toHaveBeenCalled();
  await clock.advance(1000);
  expect(onStall).toHaveBeenCalledTimes(1);
});

it("never stops a child whose bytes it may not see", async () => {
  const { clock, onStall } = watch(() => undefined);
  await clock.advance(10_000);
  expect(onStall).not.toHaveBeenCalled();
});

it("looks no more once it is stopped", async () => {
  const { clock, onStall, stall } = watch(() => ({ 7: 0 }));
  stall.stop();
  await clock.advance(10_000);
  expect(onStall).not.toHaveBeenCalled();
  expect(clock.pendingTimers).toBe(0);
});
