/** Clocks in milliseconds. Those that begin anywhere are good for differences alone. */
export interface TimeSources {
  /** Since boot, counting suspend; it is slow to ask for. */
  readonly uptime: () => number;
  /** Never going back, and standing still during suspend. */
  readonly steady: () => number;
  /** The wall clock: it counts suspend, and may be set at any time. */
  readonly wall: () => number;
}

/** An answer of the slow clock is good for so long. */
const reliedOnMs = 1000;
/** What suspend and adjustments of the wall clock may add up to unnoticed, and how long an answer may take. */
const noticedMs = 2;
const tries = 5;

/**
 * Milliseconds since boot, counting suspend, never going back. The slow clock is asked once a second, and at once when
 * the wall clock and the steady one have drifted apart: the machine was suspended, or the wall clock was set.
 */
export function createBootTime({ uptime, steady, wall }: TimeSources): () => number {
  let known: { readonly uptime: number; readonly steady: number; readonly wall: number } | undefined;
  let latest = 0;

  /** Asked in one moment: a process that was stopped between the clocks would take that time for none, or twice. */
  const ask = (): number => {
    for (let attempt = 1; ; attempt += 1) {
      const [before, wallBefore] = [steady(), wall()];
      const asked = uptime();
      const isOneMoment = Math.max(steady() - before, Math.abs(wall() - wallBefore)) <= noticedMs;
      known = isOneMoment ? { uptime: asked, steady: before, wall: wallBefore } : undefined;
      if (isOneMoment || attempt === tries) return asked;
    }
  };
  const tell = (): number => {
    if (known === undefined) return ask();
    const passed = steady() - known.steady;
    const drifted = Math.abs(wall() - known.wall - passed);
    return passed > reliedOnMs || drifted > noticedMs ? ask() : known.uptime + passed;
  };
  return () => {
    latest = Math.max(latest, Math.round(tell()));
    return latest;
  };
}
