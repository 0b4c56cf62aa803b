import { abortReasonOf } from "../base/abort.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import { worstOutcome } from "../model/run.ts";
import { addStats } from "../rsync/stats.ts";

/** More output than this is cut at its beginning, as that of a single call is. */
const longestOutput = 1024 * 1024;

/** By these codes rsync says that it did what it could: some paths are as they were. */
const partialCodes: readonly (number | null | undefined)[] = [23, 25];

/** By these codes of rsync nothing is missing; files that had gone (24) say more than processes that were left (0). */
const harmlessCodes: readonly (number | null)[] = [0, 24];

/** Whether the next call of an action may still begin. */
export function mayGoOn(outcome: ActionOutcome): boolean {
  if (outcome.kind === "failed")
    return partialCodes.includes(outcome.report?.exitCode) && outcome.report?.turnedAway !== true;
  return outcome.kind !== "cancelled";
}

/**
 * Whether somebody stopped a sync that would have gone on, whatever had not been copied before: only the next one can say
 * whether that is a failure. Processes that cannot be ended are one in any case.
 */
function wasStopped(outcomes: readonly ActionOutcome[]): boolean {
  const hasFailed = outcomes.some(
    (outcome) => outcome.kind === "failed" && (!mayGoOn(outcome) || outcome.report?.survivors !== undefined),
  );
  return !hasFailed && outcomes.some(({ kind }) => kind === "cancelled");
}

/** Several calls as one action: the worst of their outcomes, their statistics added up, the command of the first. */
export function joinOutcomes(outcomes: readonly ActionOutcome[]): ActionOutcome {
  const [first, ...others] = outcomes;
  if (first === undefined) return nothingToDo();
  if (others.length === 0) return first;
  const isStopped = wasStopped(outcomes);
  const worst = isStopped ? "cancelled" : worstOutcome(outcomes.map(({ kind }) => kind));
  const equallyBad = outcomes.filter(({ kind }) => kind === worst);
  const main = equallyBad.toSorted((a, b) => weightOf(b) - weightOf(a))[0] ?? first;
  const reports = outcomes.flatMap(({ report }) => report ?? []);
  const [firstReport] = reports;
  if (firstReport === undefined) return main;
  const report = joinReports(firstReport, reports, main.report ?? firstReport);
  if (main.kind === "ok") return { ...main, report };
  // What could not be copied before the stop is told after its reason.
  const told = [worst, ...(isStopped ? (["failed"] as const) : [])];
  const messages = told.flatMap((kind) =>
    outcomes.flatMap((outcome) => (outcome.kind === kind && "message" in outcome ? [outcome.message] : [])),
  );
  return { ...main, message: [...new Set(messages)].join("; "), report } as ActionOutcome;
}

/** Of two warnings the one counts by which something may be missing at the target (`exit_codes`). */
function weightOf({ kind, report }: ActionOutcome): number {
  if (kind !== "warning") return 0;
  const weight = harmlessCodes.indexOf(report.exitCode);
  return weight === -1 ? harmlessCodes.length : weight;
}

function joinReports(first: ActionReport, reports: readonly ActionReport[], worst: ActionReport): ActionReport {
  const survivors = reports.flatMap((report) => report.survivors ?? []);
  const turnedAway = reports.every((report) => report.turnedAway === true);
  return {
    argv: first.argv,
    exitCode: worst.exitCode,
    signal: worst.signal,
    stats: addStats(reports.map(({ stats }) => stats)),
    output: reports
      .map(({ output }) => output)
      .join("")
      .slice(-longestOutput),
    ...(survivors.length === 0 ? {} : { survivors }),
    ...(turnedAway ? { turnedAway } : {}),
  };
}

/** Everything that was to be carried has gone again, or is left out: no program was needed. */
function nothingToDo(): ActionOutcome {
  const report = { argv: [], exitCode: null, signal: null, stats: null, output: "", turnedAway: true };
  return { kind: "ok", report };
}

/** The source is not as it has to be, which may pass: a disk that is still to be mounted. */
export function notRun(message: string): ActionOutcome {
  return { kind: "failed", cause: "process", message, retryable: true, report: null };
}

/** A limit is passed: the same try again would be refused again. */
export function refused(message: string): ActionOutcome {
  return { kind: "failed", cause: "process", message, retryable: false, report: null };
}

/** Stopped before anything was started. */
export function cancelledBefore(signal: AbortSignal): ActionOutcome {
  const { kind, message } = abortReasonOf(signal);
  return { kind: "cancelled", reason: kind, message, report: null };
}
