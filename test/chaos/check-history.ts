import { checkOwnership } from "./check-ownership.ts";
import { blockages, checkBlockages, checkProgress } from "./check-progress.ts";
import { checkRemovals } from "./check-removals.ts";
import { checkExclusion, checkLooks } from "./check-runs.ts";
import { checkWriters } from "./check-writers.ts";
import type { History } from "./history.ts";
import { jobRuns } from "./job-runs.ts";
import type { Violation } from "./violation.ts";

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly figures: Figures;
}

/** What a run of the lab has to show for itself. */
export interface Figures {
  readonly contenders: number;
  readonly operations: number;
  /** Operations that nobody can say the outcome of. */
  readonly unknown: number;
  readonly locksTaken: number;
  readonly locksBroken: number;
  readonly runs: number;
  readonly writers: number;
  readonly crashes: number;
  readonly partitions: number;
  readonly faults: number;
  /** Longest time that a dead owner blocked others: altogether, and when nothing else was wrong any more. */
  readonly longestBlockMs: number;
  readonly longestCalmBlockMs: number;
  readonly blockBoundMs: number;
}

/** Judges a history by all properties. */
export function checkHistory(history: History): Verdict {
  const violations = [
    ...checkOwnership(history),
    ...checkExclusion(history),
    ...checkWriters(history),
    ...checkRemovals(history),
    ...checkLooks(history),
    ...checkProgress(history),
    ...checkBlockages(history),
  ];
  return { violations, figures: figuresOf(history) };
}

function figuresOf(history: History): Figures {
  const { setup, operations, events, writers } = history;
  const answered = (is: string) => operations.filter(({ answer }) => answer.is === is).length;
  const faults = events.flatMap((event) => (event.kind === "fault" ? [event.fault] : []));
  const blocked = blockages(history);
  return {
    contenders: setup.jobs.length,
    operations: operations.length,
    unknown: answered("unknown"),
    locksTaken: answered("acquired"),
    locksBroken: answered("broken"),
    runs: jobRuns(history).length,
    writers: writers.length,
    crashes: events.filter((event) => event.kind === "ended" && event.how === "SIGKILL").length,
    partitions: faults.filter((fault) => fault.startsWith("partition")).length,
    faults: faults.length,
    longestBlockMs: Math.max(0, ...blocked.map(({ totalMs }) => totalMs)),
    longestCalmBlockMs: Math.max(0, ...blocked.map(({ calmMs }) => calmMs)),
    blockBoundMs: setup.blockBoundMs,
  };
}

export function describeVerdict({ violations, figures }: Verdict): string[] {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const { longestBlockMs, longestCalmBlockMs, blockBoundMs } = figures;
  return [
    ...violations.flatMap(({ property, what, excerpt }) => [
      `VIOLATION of ${property}: ${what}`,
      ...excerpt.map((line) => `    ${line}`),
    ]),
    `contenders ${figures.contenders}, crashes ${figures.crashes}, partitions ${figures.partitions}, faults in all ${figures.faults}`,
    `lock operations ${figures.operations}, of which unknown ${figures.unknown}; locks taken ${figures.locksTaken}, broken ${figures.locksBroken}; runs ${figures.runs}, writers ${figures.writers}`,
    `longest time that a crashed owner blocked others: ${seconds(longestBlockMs)}; of that without any other fault ${seconds(longestCalmBlockMs)}, promised ${seconds(blockBoundMs)}`,
    `violations ${violations.length}`,
  ];
}
