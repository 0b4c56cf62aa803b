import { excludes, firstAfter, type History, type Operation, operationsBy } from "./history.ts";
import { type JobRun, jobRuns } from "./job-runs.ts";
import { mayBeTaken } from "./lock-lives.ts";
import { describeOperation, excerptOf, type Violation } from "./violation.ts";

/** S2: two jobs that exclude each other never run at the same time, unless one was robbed of a lock. */
export function checkExclusion(history: History): Violation[] {
  const { events, operations } = history;
  const runs = jobRuns(history)
    .filter(({ from, until }) => from < until)
    .toSorted((a, b) => a.from - b.from);
  return runs.flatMap((one, index) => {
    const beside = runs.slice(index + 1).filter((other) => other.from < one.until && excludes(one.job, other.job));
    return beside.flatMap((other) => {
      const robbed = [...one.locks, ...other.locks].some((life) => mayBeTaken(life, other.from, events));
      if (robbed) return [];
      const what = `${one.job.name} (${one.token}) and ${other.job.name} (${other.token}) ran at ${other.from}`;
      const paths = [...new Set([...one.job.locks, ...other.job.locks])];
      const excerpt = excerptOf(operations, { paths, from: one.from - 5000, to: other.from + 1000 });
      return [{ property: "S2" as const, what, excerpt }];
    });
  });
}

/**
 * S5: no job runs unless the last look at each of its blocks, made after the last claim was answered or in
 * its trip, proved that nothing is there.
 */
export function checkLooks(history: History): Violation[] {
  const ofProc = operationsBy(history.operations, ({ proc }) => proc);
  return jobRuns(history).flatMap((run) => {
    const all = ofProc.get(run.proc) ?? [];
    const begun = Math.min(...run.locks.map(({ claim }) => claim?.invoked ?? Infinity));
    const own = all.slice(firstAfter(all, begun - 1), firstAfter(all, run.from));
    return run.job.blocks.flatMap((path) => judgeLook(run, path, own));
  });
}

/** `own`: what its director did from its first claim on. */
function judgeLook(run: JobRun, path: string, own: readonly Operation[]): Violation[] {
  const ofAttempt = own.filter(({ token }) => token === run.token);
  const promoting = Math.min(...ofAttempt.filter(({ answer }) => answer.is === "promoted").map(({ trip }) => trip));
  const claiming = Math.max(...ofAttempt.filter(({ op }) => op === "acquire").map(({ trip }) => trip));
  const looks = own.filter(
    (operation) =>
      operation.op === "check" && operation.path === path && operation.trip >= claiming && operation.trip <= promoting,
  );
  const last = looks.at(-1);
  if (last?.answer.is === "absent" || last?.answer.found?.token === run.token) return [];
  const saw = last === undefined ? "without looking at" : `although its last look said "${last.answer.is}" of`;
  const excerpt = [...ofAttempt.slice(0, 10), ...looks].map(describeOperation);
  return [{ property: "S5", what: `${run.job.name} (${run.token}) ran ${saw} ${path}`, excerpt }];
}
