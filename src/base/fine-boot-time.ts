/** Clocks in milliseconds. */
export interface FineTimeSources {
  /** Since boot, counting suspend, in steps. */
  readonly uptime: () => number;
  /** Beginning anywhere, as fine as can be, and standing still during suspend. */
  readonly steady: () => number;
}

/** At one of them at least the process is not interrupted between the two clocks. */
const ticks = 3;
/** The longest step of an uptime, and as much again for a process that is interrupted. */
const suspendedMs = 20;

/**
 * Milliseconds since boot, counting suspend, to a fraction of one: what two processes note in turn stands in that order.
 * /proc/uptime counts hundredths of a second, in which a lock can change hands twice. It is watched until it ticks,
 * which keeps the processor busy for some 30 ms at the first time, and again after a suspend: for records only.
 */
export function createFineBootTime({ uptime, steady }: FineTimeSources): () => number {
  let offset: number | undefined;

  const untilTick = (): number => {
    const before = uptime();
    for (;;) {
      const now = uptime();
      // Whatever comes between the tick and the next clock makes it less, and never more.
      if (now !== before) return now - steady();
    }
  };
  const measure = () => Math.max(...Array.from({ length: ticks }, untilTick));

  return () => {
    offset ??= measure();
    const now = steady() + offset;
    if (Math.abs(uptime() - now) <= suspendedMs) return now;
    offset = measure();
    return steady() + offset;
  };
}
