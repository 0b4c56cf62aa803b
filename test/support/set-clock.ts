import { type Clock, systemClock } from "../../src/base/clock.ts";

/** The real clock, for people alone set to another time; what is measured goes on as it does. */
export class SetClock implements Clock {
  #ahead = 0;

  /** So much (ms) ahead of the real time from now on. */
  set(ahead: number): void {
    this.#ahead = ahead;
  }

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  setTimer(ms: number, run: () => void): () => void {
    return systemClock.setTimer(ms, run);
  }
}
