/**
 * What Debian's cron would do, minute by minute, written from cron(8) and crontab(5) and sharing nothing
 * with the program: its own reading of the fields, and local time from a formatter of its own.
 */

const minute = 60_000;
const threeHours = 180;

/** One real minute: when it is, and what the clock on the wall says (in minutes, as if it were UTC). */
export interface WallMinute {
  at: number;
  wall: number;
}

export function wallMinutes(zone: string, from: number, to: number): WallMinute[] {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  const minutes: WallMinute[] = [];
  for (let at = from; at < to; at += minute) {
    minutes.push({ at, wall: Date.parse(`${format.format(at).replace(" ", "T")}Z`) / minute });
  }
  return minutes;
}

const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

function fieldMatches(field: string, index: number, value: number): boolean {
  const [lowest, highest] = bounds[index] ?? [0, 0];
  return field.split(",").some((part) => {
    const [range = "", step = "1"] = part.split("/");
    const [from, to] = range === "*" ? [lowest, highest] : range.split("-").map(Number);
    const first = from ?? lowest;
    const last = to ?? first;
    return value >= first && value <= last && (value - first) % Number(step) === 0;
  });
}

export function expressionMatches(expression: string, wall: number): boolean {
  const fields = expression.split(" ");
  const date = new Date(wall * minute);
  const on = (index: number, value: number) => fieldMatches(fields[index] ?? "", index, value);
  const weekday = on(4, date.getUTCDay()) || (date.getUTCDay() === 0 && on(4, 7));
  const monthDay = on(2, date.getUTCDate());
  const either = !fields[2]?.startsWith("*") && !fields[4]?.startsWith("*");
  const day = either ? monthDay || weekday : monthDay && weekday;
  return on(0, date.getUTCMinutes()) && on(1, date.getUTCHours()) && on(3, date.getUTCMonth() + 1) && day;
}

export function isWildcard(expression: string): boolean {
  const [minutes, hours] = expression.split(" ");
  return minutes?.startsWith("*") === true || hours?.startsWith("*") === true;
}

/** The real times at which the expression runs, the first minute given being taken as passed. */
export function debianCronTimes(expression: string, minutes: readonly WallMinute[]): number[] {
  const wildcard = isWildcard(expression);
  const times: number[] = [];
  let settled = minutes[0]?.wall ?? 0;
  for (const { at, wall } of minutes.slice(1)) {
    const ahead = wall - settled;
    const clockIsBack = ahead <= 0 && ahead > -threeHours;
    const clockJumped = ahead > 1 && ahead <= threeHours;
    let runs = false;
    if (wildcard) runs = expressionMatches(expression, wall);
    else if (clockJumped) {
      for (let passed = settled + 1; passed <= wall; passed += 1) runs ||= expressionMatches(expression, passed);
    } else if (!clockIsBack) runs = expressionMatches(expression, wall);
    if (!clockIsBack) settled = wall;
    if (runs) times.push(at);
  }
  return times;
}
