import { coerceError, describeError, OperatorError } from "../base/errors.ts";
import type { Action, Job } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { ActionContext, ActionDeps, ActionKind } from "./action-kind.ts";
import { commandAction } from "./command-action.ts";
import { csync2Action } from "./csync2-action.ts";
import { syncAction } from "./sync-action.ts";

/** Runs one action once. It never rejects: whatever happens is an outcome. */
export type RunAction = (job: Job, action: Action, context: ActionContext) => Promise<ActionOutcome>;

type ActionOf<Kind extends Action["kind"]> = Extract<Action, { kind: Kind }>;

const kinds: { readonly [Kind in Action["kind"]]: ActionKind<ActionOf<Kind>> } = {
  sync: syncAction,
  command: commandAction,
  csync2: csync2Action,
};

/** The kinds of actions behind one function. */
export function createActionRegistry(deps: ActionDeps): RunAction {
  return async (job, action, context) => {
    try {
      return await kindOf(action).run(job, action, { context, deps });
    } catch (error) {
      if (!(error instanceof OperatorError)) {
        context.log.error({ error: describeError(error), stack: coerceError(error).stack }, "action crashed");
      }
      return { kind: "failed", cause: "exception", message: describeError(error), retryable: false, report: null };
    }
  };
}

/**
 * The exact argv of an action, secrets included, without running anything. Throws an OperatorError when
 * the action cannot be run as it is configured.
 */
export function previewAction(
  job: Job,
  action: Action,
  options: { dryRun: boolean; deps: ActionDeps },
): Promise<readonly string[]> {
  return kindOf(action).preview(job, action, options);
}

function kindOf(action: Action): ActionKind<Action> {
  return kinds[action.kind] as ActionKind<Action>;
}
