import { type Clock, systemClock } from "../../src/base/clock.ts";
import { waitUntil } from "./process-state.ts";

/** The real clock, but that timers of these lengths end when the test says so, however slow the machine is. */
export interface HeldTimers {
  readonly clock: Clock;
  /** Ends those that there are, as if their time were over. */
  readonly end: () => void;
  /** The same, as soon as there is one. */
  readonly endNext: () => Promise<void>;
}

export function holdTimers(...heldMs: readonly number[]): HeldTimers {
  const held = new Set<() => void>();
  const setTimer: Clock["setTimer"] = (ms, run) => {
    if (!heldMs.includes(ms)) return systemClock.setTimer(ms, run);
    held.add(run);
    return () => void held.delete(run);
  };
  const end = () => {
    for (const run of [...held]) {
      held.delete(run);
      run();
    }
  };
  return {
    clock: { ...systemClock, setTimer },
    end,
    endNext: async () => {
      await waitUntil(`a timer of ${heldMs.join(" or ")} ms is set`, () => held.size > 0);
      end();
    },
  };
}
