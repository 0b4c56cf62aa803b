import { OperatorError } from "../base/errors.ts";
import type { ActionRecord, RunHistory, RunRecord } from "../store/run-history.ts";

/** By `outputKey`. */
export type Outputs = ReadonlyMap<string, string>;

export function outputKey(jobId: string, of: Pick<ActionRecord, "actionId" | "targetId" | "attempt">): string {
  return JSON.stringify([jobId, of.actionId, of.targetId, of.attempt]);
}

/** The id of a run by its beginning, or `last`: the newest, of a job where one is named. Throws an `OperatorError`. */
export function findRun(history: RunHistory, wanted: string, jobId?: string): string {
  if (wanted === "last") {
    const last = history.listRuns({ jobId, limit: 1 })[0];
    if (last === undefined)
      throw new OperatorError(`no run ${jobId === undefined ? "" : `of ${jobId} `}is recorded yet`);
    return last.runId;
  }
  const found = history.findRunIds(wanted, 6);
  const [first, ...others] = found;
  if (first === undefined) throw new OperatorError(`no run has an id that begins with "${wanted}"`);
  if (others.length === 0 || found.includes(wanted)) return found.includes(wanted) ? wanted : first;
  const some = found.slice(0, 5).join(", ");
  throw new OperatorError(`several runs begin with "${wanted}": ${some}${found.length > 5 ? ", …" : ""}`);
}

/** What the actions of a run wrote, as far as it is kept. */
export function readOutputs(history: RunHistory, run: RunRecord): Outputs {
  const outputs = new Map<string, string>();
  for (const { jobId, actions } of run.jobs) {
    for (const action of actions) {
      const { hasOutput } = action;
      const output = hasOutput ? history.readOutput(run.runId, jobId, action) : undefined;
      if (output !== undefined) outputs.set(outputKey(jobId, action), output);
    }
  }
  return outputs;
}
