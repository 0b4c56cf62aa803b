const unitMilliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

type Unit = keyof typeof unitMilliseconds;

/** What a duration may look like in a configuration file; the schema uses the same pattern. */
export const durationPattern = "^\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w)?(\\s*\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w))*\\s*$";

const wholeDuration = new RegExp(durationPattern);
const onePart = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?/g;

/**
 * Milliseconds of `90`, `"90s"`, `"15m"`, `"2h 30m"`, `"7d"`; a bare number is seconds, as in the
 * original's configuration. Returns undefined for anything else (also for negative numbers).
 */
export function parseDuration(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? Math.round(value * 1000) : undefined;
  if (!wholeDuration.test(value)) return undefined;
  let total = 0;
  for (const [, amount, unit] of value.matchAll(onePart)) {
    total += Number(amount) * unitMilliseconds[(unit ?? "s") as Unit];
  }
  return Math.round(total);
}

/** `93784000` → `1d 2h`, `1500` → `1.5s`: the two largest units, for people. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1).replace(/\.0$/, "")}s`;
  let rest = Math.round(milliseconds / 1000);
  const parts: string[] = [];
  for (const [name, seconds] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || parts.length > 0) parts.push(`${count}${name}`);
  }
  return parts
    .slice(0, 2)
    .filter((part) => !part.startsWith("0"))
    .join(" ");
}
