import { formatDuration } from "../base/duration.ts";
import { quoteWord } from "../base/shell-words.ts";
import type { LockExplanation, LockHolder } from "../daemon/inspect/explain-locks.ts";
import type { LockStatus } from "../lock/lease/lock-status.ts";
import type { LockPlace } from "../model/run.ts";
import { formatBytes, formatPlace, formatTime } from "./output.ts";

/** One lock file, and below it what is known of it. */
export function formatLock(lock: LockExplanation, now: number): string {
  const { place, roles } = lock;
  return [`  ${formatPlace(place)}  (${roles.join(", ")})`, ...details(lock, now).map((line) => `    ${line}`)].join(
    "\n",
  );
}

function details(lock: LockExplanation, now: number): string[] {
  const { state, holder, progress, own, ageSeconds, firstLine } = lock;
  switch (state) {
    case "free":
      return [];
    case "unknown":
      return [
        `UNKNOWN, which counts as locked: ${lock.detail ?? ""}`,
        ...(lock.remedy === null ? [] : [`→ ${lock.remedy}`]),
      ];
    case "foreign":
      return [
        `held by another program (first line: ${JSON.stringify(firstLine ?? "")}), ${ageWords(ageSeconds)} old`,
        ...describeStale(lock, now),
      ];
    case "held":
      return [
        ...(holder === null ? [] : describeHolder(holder, ageSeconds)),
        progress === null ? "progress: not told yet" : `progress: ${describeProgress(progress)}`,
        ...(lock.leftover ? ["left behind by this director, which does not run: its next start gives it back"] : []),
        ...(own ? [] : describeStale(lock, now)),
      ];
  }
}

function describeHolder(holder: LockHolder, ageSeconds: number | null): string[] {
  const { job, rsyncId, host, pid, runId, state, since } = holder;
  const verb = state === "held" ? "held" : "claimed, which takes moments,";
  return [
    `${verb} by job ${job} of ${rsyncId} on ${host} (process ${pid}), run ${runId}`,
    `since ${formatRfc3339(since)} by that host's clock; last sign of life ${ageWords(ageSeconds)} ago`,
  ];
}

function describeProgress({ action, percent, bytes, rate, eta, started, at }: LockStatus): string {
  const parts = [
    `action ${action} since ${formatRfc3339(started)}`,
    percent === null ? "" : `${percent} %`,
    bytes === null ? "" : formatBytes(bytes),
    rate === null ? "" : `${formatBytes(rate)}/s`,
    eta === null ? "" : `ends about ${formatRfc3339(eta)}`,
  ];
  return `${parts.filter(Boolean).join(", ")} (as of ${formatRfc3339(at)})`;
}

function describeStale({ stale, holder, place }: LockExplanation, now: number): string[] {
  switch (stale?.kind) {
    case undefined:
      return [];
    case "owner-dead":
      return ["its owner is dead: the next job that looks at it breaks it, unless a writer still lives"];
    case "never":
      return [`is never broken: ${stale.because}`, ...(holder === null ? [removal(place)] : [])];
    case "bounded": {
      const latest = formatTime(now + stale.withinMs);
      const writer = holder?.hold === false ? "" : ", unless a writer at its destination still lives";
      return [
        `without a further sign of life a job that waits breaks it by ${latest} (in ${formatDuration(stale.withinMs)})${writer}`,
      ];
    }
  }
}

function removal(place: LockPlace): string {
  return `→ when its program has ended: rsyncdirector locks break ${quoteWord(formatPlace(place))} --foreign`;
}

function ageWords(seconds: number | null): string {
  // The clock of a lock's host may be wrong.
  return seconds === null || seconds < 0 ? "an unknown time" : formatDuration(seconds * 1000);
}

function formatRfc3339(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? JSON.stringify(text) : formatTime(time);
}
