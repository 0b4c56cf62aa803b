/** The wall clock, and what measured the time beside it; in milliseconds. */
export interface ClockReading {
  readonly wall: number;
  /** Since boot, counting suspend; undefined: it was read in another boot. */
  readonly boot: number | undefined;
}

/** What is thought of the wall clock. */
export interface ClockBelief {
  /** The last reading that was believed; null: nobody knows one. */
  readonly believed: ClockReading | null;
  /** The first of the readings since then that do not follow from that one; null: the clock goes on as it should. */
  readonly strange: ClockReading | null;
}

const day = 86_400_000;
/** A host may have been off for so long, and nobody wonders. */
const longestGapMs = 60 * day;
/** A clock that is wrong has to be found and put right first, and over a long weekend nobody looks. */
const aheadBelievedAfterMs = 7 * day;
/** Too early a time makes nothing old: that it is believed too soon only puts off what is deleted. */
const behindBelievedAfterMs = day;
/** A second reading so much later, in another boot, is another wrong time rather than the same clock going on. */
const longestProofMs = 200 * day;

/** What is to be thought after another reading. */
export function judgeClock({ believed, strange }: ClockBelief, now: ClockReading): ClockBelief {
  if (believed !== null && follows(believed, now)) return { believed: now, strange: null };
  const begun = strange !== null && isStill(strange, now, believed) && !isTooFar(strange, now) ? strange : null;
  if (begun === null) return { believed, strange: now };
  // Only what it was when that began: a clock that has made another leap meanwhile is strange once more.
  if (hasLasted(begun, now, believed)) return judgeClock({ believed: begun, strange: null }, now);
  return { believed, strange: begun };
}

/** Whether the clock is so far ahead that what is old by it need not be old. */
export function isInDoubt({ believed, strange }: ClockBelief): boolean {
  return strange !== null && isAhead(strange, believed);
}

/** Since when ages count, by the wall clock (ms): never from a time that is in doubt. */
export function believedNow({ believed, strange }: ClockBelief, now: number): number {
  if (strange === null) return now;
  // Also one that went back and has leapt ahead since, before it was believed.
  return Math.min(now, believed?.wall ?? 0, strange.wall + longestGapMs);
}

/** The wall time (ms) from which on a clock that is in doubt is believed, if it goes on as it does now. */
export function believedFrom({ strange }: ClockBelief, now: ClockReading): number {
  if (strange === null) return now.wall;
  const end = strange.wall + aheadBelievedAfterMs;
  if (end > now.wall) return end;
  // It was set again, and only what was measured counts; by a leap it becomes strange once more when that time is over.
  const left = aheadBelievedAfterMs - (elapsed(strange, now) ?? 0);
  return now.wall + left + (follows(strange, now) ? 0 : aheadBelievedAfterMs);
}

/** Time that was measured is no leap. */
function follows(believed: ClockReading, now: ClockReading): boolean {
  const passed = elapsed(believed, now) ?? 0;
  return now.wall >= believed.wall && now.wall - believed.wall - passed <= longestGapMs;
}

function isAhead(reading: ClockReading, believed: ClockReading | null): boolean {
  return believed === null || reading.wall > believed.wall;
}

/** Whether nobody has set the clock back since. */
function isStill(strange: ClockReading, now: ClockReading, believed: ClockReading | null): boolean {
  return now.wall >= strange.wall && isAhead(now, believed) === isAhead(strange, believed);
}

/** By both clocks, where both were read in this boot: one that was only set once more has not lasted. */
function hasLasted(strange: ClockReading, now: ClockReading, believed: ClockReading | null): boolean {
  const needed = isAhead(strange, believed) ? aheadBelievedAfterMs : behindBelievedAfterMs;
  return now.wall - strange.wall >= needed && (elapsed(strange, now) ?? needed) >= needed;
}

/** Whether nothing tells how much later this is, and it is too much to be believed at the second look. */
function isTooFar(strange: ClockReading, now: ClockReading): boolean {
  return elapsed(strange, now) === undefined && now.wall - strange.wall > longestProofMs;
}

function elapsed(before: ClockReading, now: ClockReading): number | undefined {
  return before.boot === undefined || now.boot === undefined ? undefined : now.boot - before.boot;
}
