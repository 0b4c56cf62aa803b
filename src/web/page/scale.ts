/** A number as a position, and the round values that an axis names. All of it is pure. */
export interface Axis {
  readonly max: number;
  readonly ticks: readonly number[];
}

/** Steps that people count durations in, in milliseconds. */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const durationSteps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * day),
];

/** An axis from 0 to at least `largest`, with two to five steps of 1, 2 or 5 times a power of ten. */
export function decimalAxis(largest: number): Axis {
  if (!(largest > 0)) return { max: 1, ticks: [0, 1] };
  const power = 10 ** Math.floor(Math.log10(largest / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => largest / size <= 4.000001) ?? 10 * power;
  // There is no half a byte.
  return stepped(Math.max(1, step), largest);
}

/** The same in steps that people count time in; milliseconds. */
export function durationAxis(largest: number): Axis {
  if (!(largest > 0)) return { max: second, ticks: [0, second] };
  const step = durationSteps.find((size) => largest / size <= 4);
  return step === undefined ? decimalAxis(largest) : stepped(step, largest);
}

/** At most `count` moments between two, evenly spread; one when they are the same. */
export function timeTicks(from: number, to: number, count: number): number[] {
  if (to <= from || count < 2) return [from];
  return Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1));
}

/** Where `value` lies between `from` and `to`, from 0 to `length`; the middle when there is no distance. */
export function place(value: number, from: number, to: number, length: number): number {
  if (to <= from) return length / 2;
  return (Math.min(Math.max(value, from), to) - from) * (length / (to - from));
}

function stepped(step: number, largest: number): Axis {
  const count = Math.max(1, Math.ceil(largest / step - 1e-9));
  return { max: step * count, ticks: Array.from({ length: count + 1 }, (_, index) => index * step) };
}
