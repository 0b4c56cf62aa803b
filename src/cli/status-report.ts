import { formatDuration } from "../base/duration.ts";
import type { Freshness, InstanceStatus } from "../model/status.ts";
import type { Paint } from "./paint.ts";

/** What is known of an instance: of its director where it could be asked, else of the configuration and the history. */
export interface StatusReport extends Pick<
  InstanceStatus,
  "rsyncId" | "configFile" | "at" | "history" | "jobs" | "runs"
> {
  /** `deaf`: a process works on the configuration and takes no requests. */
  readonly director: "running" | "stopped" | "deaf" | "unknown";
  /** Why nothing can be asked, and what to do; null when it runs. */
  readonly directorDetail: string | null;
  readonly hostname?: string;
  readonly lastReload?: InstanceStatus["lastReload"];
  readonly clockDoubt?: InstanceStatus["clockDoubt"];
}

export interface StatusLayout {
  /** Wall clock, milliseconds. */
  readonly now: number;
  /** Lines are broken, and a table that is wider becomes a list; Infinity: as wide as it likes. */
  readonly columns: number;
  readonly paint: Paint;
}

export function paintFreshness(freshness: Freshness, paint: Paint): string {
  switch (freshness) {
    case "fresh":
      return paint.good("fresh");
    case "stale":
      return paint.bad("STALE");
    case "never":
      return paint.bad("NEVER");
    case "unknown":
      return paint.bad("UNKNOWN");
    case "unmeasured":
      return paint.dim("-");
  }
}

export function age(since: number, now: number): string {
  // Half a second is no age, and tenths of seconds say nothing to anybody.
  return formatDuration(Math.max(0, Math.floor((now - since) / 1000) * 1000)).replace(/^0ms$/, "0s");
}
