import { safeWord } from "../base/untrusted-text.ts";
import type { BreakCandidate, BreakOutcome } from "../daemon/inspect/break-lock.ts";
import type { LockReport } from "../daemon/inspect/survey-locks.ts";
import { ageInWords, formatLock } from "./locks-view.ts";
import { formatPlace } from "./output.ts";
import { wrapText } from "./wrap-text.ts";

/** The lock, and what a person has to make sure of before it is broken. */
export function formatCandidate({ report, id }: BreakCandidate, options: { width: number; unlink: boolean }): string {
  const { width } = options;
  const token = report.state === "foreign" ? "sha256" : "token";
  const lines = [...formatLock(report, { width }), ...(id === undefined ? [] : [`  ${token} ${id}`])];
  const advice = adviceOf(report, options).flatMap((text) => wrapText(text, { width, first: "! ", rest: "  " }));
  return `${[...lines, "", ...advice].join("\n")}\n`;
}

function adviceOf(report: LockReport, { unlink }: { unlink: boolean }): string[] {
  const { writer, silentSeconds, heartbeatSeconds, owner } = report;
  const host = safeWord(owner?.host ?? "the host of its program");
  const advice: string[] = [];
  // Nothing is broken then, and what one would have to make sure of first only distracts.
  if (report.state === "unknown") return advice;
  const lives = owner !== null && silentSeconds !== null && silentSeconds < 3 * Math.max(30, heartbeatSeconds ?? 0);
  if (lives && !report.ownerIsDead) {
    advice.push(
      `Its owner gave a sign of life ${ageInWords(silentSeconds)} ago and is probably alive. Stop its job or its director on ${host} instead: that gives the lock back.`,
    );
  }
  if (writer?.state === "alive") return advice;
  if (writer?.state === "none" && owner !== null) {
    advice.push(
      `Nobody holds ${formatPlace(writer.place)} just now, and that is looked at again while the lock is broken. What is not started by rsyncdirector, and actions of kind command, do not hold it.`,
    );
  } else {
    const process = owner === null ? "the program that made it has ended" : `process ${owner.pid} has ended on ${host}`;
    advice.push(
      `Whether something still writes what this lock protects CANNOT BE TOLD. Make sure yourself that ${process}, and that no rsync of it is left, there AND on the host that is written (pgrep -a rsync). If one is, the next job writes beside it.`,
    );
  }
  if (unlink) {
    advice.push(
      "--unlink: over sftp the file is read, compared with the token and then removed. Whoever makes the lock anew between the two loses it, and no evidence is kept.",
    );
  }
  return advice;
}

/** What became of it, in words for the operator. */
export function describeOutcome(outcome: BreakOutcome, report: LockReport): string {
  const place = safeWord(formatPlace(report.place), 500);
  switch (outcome.kind) {
    case "broken":
      return `${place}: broken; kept as ${outcome.evidence}`;
    case "removed":
      return `${place}: removed`;
    case "gone":
      return `${place}: it is free by now, nothing was done`;
    case "changed":
      return `${place}: it has changed since it was looked at (another owner, or a sign of life): nothing was done. Look again`;
    case "in-use":
      return `${place}: a writer is alive at its destination, and holds its hold file: nothing was done. End that process first`;
    case "unsupported":
      return `${place}: nothing was done: ${safeWord(outcome.detail, 400)}. --unlink removes it by its token instead`;
    case "unproven":
      return `${place}: nothing was done: ${safeWord(outcome.detail, 400)}, so nobody can say whether a writer lives. Name a configuration that leads there with a further --config; or make sure on that host that no rsync is left (pgrep -a rsync), and add --unproven`;
    case "refused":
      return `${place}: nothing was done: ${safeWord(outcome.detail, 400)}`;
    case "unknown":
      return `${place}: it is NOT KNOWN whether it was broken: ${safeWord(outcome.detail, 400)}. Look again: rsyncdirector locks`;
  }
}
