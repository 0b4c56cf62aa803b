import type { CancelTimer, Clock } from "../../src/base/clock.ts";

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that stands still until it is told to advance; timers fire in order of their time. */
export class FakeClock implements Clock {
  /** Set it for a clock that one life hands on to the next. */
  bootId: string | undefined;
  #wall: number;
  #boot = 1_000_000;
  readonly #timers = new Set<Timer>();

  constructor(start: Date | string | number = "2026-03-01T00:00:00Z") {
    this.#wall = new Date(start).getTime();
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#boot;
  }

  setTimer(ms: number, run: () => void): CancelTimer {
    const timer = { at: this.#boot + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; promises that a timer resolves run before the next timer fires. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.#boot + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#pass(Math.max(0, due.at - this.#boot));
      due.run();
      await settle();
    }
    this.#pass(end - this.#boot);
    await settle();
  }

  /** The wall clock is set (by a person, by NTP); boot time goes on as if nothing had happened. */
  jumpWallClock(ms: number): void {
    this.#wall += ms;
  }

  /** The machine sleeps: boot time and wall clock go on, timers stand still. */
  suspend(ms: number): void {
    for (const timer of this.#timers) timer.at += ms;
    this.#pass(ms);
  }

  #pass(ms: number): void {
    this.#wall += ms;
    this.#boot += ms;
  }
}

/** Lets all promise callbacks that are due run, also those they cause. */
async function settle(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
