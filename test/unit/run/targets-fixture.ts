import { abortReasonOf } from "../../../src/base/abort.ts";
import type { RunAction } from "../../../src/action/action.ts";
import type { ActionContext } from "../../../src/action/action-kind.ts";
import type { Job } from "../../../src/config/resolved.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { buildJob, buildTarget } from "../../support/build-job.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";
import { buildSync } from "../../support/run-action.ts";

/** A job that pushes to hosts of these names. */
export function jobFor(targetIds: readonly string[], overrides: Partial<Job> = {}): Job {
  return buildJob({
    type: "remote",
    targets: targetIds.map((id) => buildTarget({ ...plainEndpoint, host: id }, { id })),
    actions: [buildSync({ id: "home" })],
    ...overrides,
  });
}

interface Call {
  readonly name: string;
  readonly context: ActionContext;
  end(outcome: ActionOutcome): Promise<void>;
}

/** Actions that end when the test says so, or with their signal. */
export function openActions() {
  const calls: Call[] = [];
  const open = new Set<string>();
  let most = 0;
  const runAction: RunAction = (_job, action, context) =>
    new Promise((resolve) => {
      const name = action.kind === "sync" ? `${action.id} to ${context.target.id}` : action.id;
      open.add(name);
      most = Math.max(most, open.size);
      const finish = (outcome: ActionOutcome) => {
        open.delete(name);
        resolve(outcome);
      };
      calls.push({
        name,
        context,
        end: async (outcome) => {
          finish(outcome);
          await settle();
        },
      });
      context.signal.addEventListener("abort", () => {
        const { kind, message } = abortReasonOf(context.signal);
        finish({ kind: "cancelled", reason: kind, message, report: null });
      });
    });
  return {
    runAction,
    names: () => calls.map(({ name }) => name),
    open: () => [...open],
    mostAtOnce: () => most,
    calls,
    /** Ends the newest try of that name. */
    end: async (name: string, outcome: ActionOutcome) => {
      await settle();
      const call = calls.findLast((each) => each.name === name && open.has(name));
      if (call === undefined) throw new Error(`${name} is not running; running are: ${[...open].join(", ")}`);
      await call.end(outcome);
    },
  };
}

/** Lets all promise callbacks that are due run, also those they cause. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
