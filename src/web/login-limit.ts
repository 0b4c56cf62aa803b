import type { Clock } from "../base/clock.ts";

/** So many wrong passwords from one address at once, and one more for each interval that passes. */
const burst = 10;
const refillMs = 6_000;
/** Addresses that are remembered: an attacker with more of them is held up by the price of a login alone. */
const mostAddresses = 1_000;

/** Slows down who tries passwords. */
export interface LoginLimit {
  /** Seconds until the next try; 0: now. */
  waitSeconds(address: string): number;
  failed(address: string): void;
}

export function createLoginLimit(clock: Pick<Clock, "monotonic">): LoginLimit {
  /** By address: when all its failures will be forgiven. */
  const forgiven = new Map<string, number>();
  return {
    waitSeconds: (address) => {
      const debt = (forgiven.get(address) ?? 0) - clock.monotonic();
      return Math.max(0, Math.ceil((debt - (burst - 1) * refillMs) / 1000));
    },
    failed: (address) => {
      const from = Math.max(clock.monotonic(), forgiven.get(address) ?? 0);
      // Written anew, so that the first key is the one that has failed longest ago.
      forgiven.delete(address);
      // Behind a proxy everybody has one address: whoever fails without end holds the others up for a minute, not for days.
      forgiven.set(address, Math.min(from + refillMs, clock.monotonic() + burst * refillMs));
      const [oldest] = forgiven.keys();
      if (forgiven.size > mostAddresses && oldest !== undefined) forgiven.delete(oldest);
    },
  };
}
