import { formatDuration } from "../base/duration.ts";
import { quoteUntrusted, safeWord } from "../base/untrusted-text.ts";
import type { LockReport, WriterSight } from "../daemon/inspect/survey-locks.ts";
import { formatJson, formatPlace, formatTable, formatTime } from "./output.ts";
import { wrapText } from "./wrap-text.ts";

/** A table of all locks, and below it what is known of each. */
export function formatLocks(reports: readonly LockReport[], { width }: { width: number }): string {
  if (reports.length === 0) return "the jobs name no lock files\n";
  const details = reports.map((report) => formatLock(report, { width }).join("\n"));
  return `${formatOverview(reports, width)}\n${details.join("\n")}\n\n${formatCounts(reports)}\n`;
}

export function locksAsJson(reports: readonly LockReport[]): string {
  return formatJson({ locks: reports });
}

function formatOverview(reports: readonly LockReport[], width: number): string {
  const rows = reports.map((report) => [
    safeWord(formatPlace(report.place), 500),
    report.state === "unknown" ? "UNKNOWN" : report.state,
    report.owner === null ? "" : safeWord(`${report.owner.rsyncId}/${report.job ?? ""}`, 24),
    ageInWords(report.ageSeconds),
    ageInWords(report.silentSeconds),
    report.state === "free" && report.writer?.state === "none" ? "" : writerInAWord(report.writer),
  ]);
  const header = ["LOCK", "STATE", "HOLDER", "AGE", "SEEN", "WRITER"];
  const others = formatTable(
    header.slice(1),
    rows.map((row) => row.slice(1)),
  ).split("\n");
  const room = Math.max(20, width - Math.max(...others.map((line) => line.length)) - 2);
  return formatTable(
    header,
    rows.map(([place = "", ...row]) => [shorten(place, room), ...row]),
  );
}

/** What is left out is in the middle: the host and the name of the file matter most. */
function shorten(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.ceil((room - 1) * 0.7);
  return `${text.slice(0, room - 1 - end)}…${text.slice(-end)}`;
}

/** Everything that is known of one lock, its whole name first. */
export function formatLock(report: LockReport, { width }: { width: number }): string[] {
  const lines = [
    ...describeState(report),
    ...describeWriter(report),
    ...describeUses(report),
    ...describeBroken(report),
  ];
  return [
    safeWord(formatPlace(report.place), 500),
    ...lines.flatMap((line) => wrapText(line, { width, first: "  ", rest: "    " })),
  ];
}

function describeState(report: LockReport): string[] {
  const { state, owner, job, run, created, ageSeconds, silentSeconds, ttlSeconds, firstLine, detail, place } = report;
  const clock = place.host === null ? "this host's clock" : `the clock of ${place.host}`;
  const silent = silentSeconds === null ? "at an unknown time" : `${ageInWords(silentSeconds)} ago`;
  switch (state) {
    case "free":
      return ["free"];
    case "unknown":
      return [
        `UNKNOWN, which counts as locked: ${safeWord(detail ?? "", 400)}`,
        `→ rsyncdirector doctor --config FILE ${place.host ?? "localhost"}`,
      ];
    case "foreign":
      return [
        `held by another program; its first line is ${quoteUntrusted(firstLine ?? "")}`,
        `written ${silent} by ${clock}`,
      ];
    case "claim":
    case "held": {
      const { rsyncId = "", host = "", pid = 0, ours = false } = owner ?? {};
      const who = `job ${safeWord(job ?? "")} of ${safeWord(rsyncId)} on ${safeWord(host)}, process ${pid}`;
      const age = ageSeconds === null ? "" : `, ${ageInWords(ageSeconds)} ago`;
      const ttl = ttlSeconds === 0 ? "no lease, so never stale" : `lease ${formatDuration((ttlSeconds ?? 0) * 1000)}`;
      return [
        `${state === "held" ? "held" : "claimed, which takes moments,"} by ${who}${ours ? " (this installation)" : ""}`,
        `run ${safeWord(run ?? "")}, since ${timeInWords(created)} by its owner's clock${age}`,
        `last sign of life ${silent} by ${clock}; ${ttl}`,
        ...(report.ownerIsDead ? ["its owner is dead: that process, and what it had started, has ended"] : []),
      ];
    }
  }
}

function describeWriter({ writer, state }: LockReport): string[] {
  switch (writer?.state) {
    case undefined:
      return [];
    case "alive": {
      const free = state === "free" ? ", although the lock is free: a new job is turned away until it has ended" : "";
      return [`a writer is alive: ${formatPlace(writer.place)} is locked${free}`];
    }
    case "none":
      return state === "free" ? [] : [`no rsync writes under it: ${formatPlace(writer.place)} is not locked`];
    case "untold":
      return ["unfenced: its writers hold no kernel lock, so nobody can say whether one is alive"];
    case "unknown":
      return [`whether a writer is alive cannot be told: ${safeWord(writer.detail, 400)}`];
  }
}

function describeUses({ uses }: LockReport): string[] {
  const names = (role: string) =>
    uses.filter((use) => use.role === role).map(({ rsyncId, job }) => `${rsyncId}/${job}`);
  const [taken, waited] = [names("takes"), names("waits")];
  return [
    ...(taken.length === 0 ? [] : [`taken by ${taken.join(", ")}`]),
    ...(waited.length === 0 ? [] : [`waited for by ${waited.join(", ")} (blocks_on)`]),
  ];
}

function describeBroken({ broken }: LockReport): string[] {
  if (broken === null || broken.length === 0) return [];
  const newest = broken.toSorted((a, b) => a.ageSeconds - b.ageSeconds);
  return newest
    .slice(0, 3)
    .map(({ name, ageSeconds }) => `broken ${ageInWords(ageSeconds)} ago, and kept as ${name}`)
    .concat(newest.length > 3 ? [`and ${newest.length - 3} more, broken earlier`] : []);
}

function formatCounts(reports: readonly LockReport[]): string {
  const states = ["held", "claim", "foreign", "free", "unknown"] as const;
  const counts = states.flatMap((state) => {
    const count = reports.filter((report) => report.state === state).length;
    return count === 0 ? [] : [`${count} ${state === "unknown" ? "UNKNOWN" : state === "claim" ? "claimed" : state}`];
  });
  return `${reports.length} ${reports.length === 1 ? "lock" : "locks"}: ${counts.join(", ")}`;
}

function writerInAWord(writer: WriterSight | null): string {
  const words = { alive: "alive", none: "none", untold: "unfenced", unknown: "UNKNOWN" };
  return writer === null ? "" : words[writer.state];
}

export function ageInWords(seconds: number | null): string {
  return seconds === null ? "" : formatDuration(Math.max(0, seconds) * 1000).replace(/^0ms$/, "0s");
}

function timeInWords(text: string | null): string {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? "an unknown time" : formatTime(time);
}
