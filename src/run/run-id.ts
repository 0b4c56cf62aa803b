import { randomBytes } from "node:crypto";

/** `20261120-104803-9f3a1c`: sorts by time (UTC), is unique enough to be looked up by, and can be typed. */
export function newRunId(now: number): string {
  const [date, time] = new Date(now).toISOString().split("T") as [string, string];
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${randomBytes(3).toString("hex")}`;
}
