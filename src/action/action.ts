import { coerceError, describeError, OperatorError } from "../base/errors.ts";
import type { Action, Job } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { ActionContext, ActionDeps, ActionKind } from "./action-kind.ts";
import { commandAction } from "./command-action.ts";
import { createCsync2Action } from "./csync2-action.ts";
import { createSyncAction } from "./sync-action.ts";
import { trackedAction } from "./tracked-action.ts";

/** Runs one action once. It never rejects: whatever happens is an outcome. */
export type RunAction = (job: Job, action: Action, context: ActionContext) => Promise<ActionOutcome>;

type ActionOf<Kind extends Action["kind"]> = Extract<Action, { kind: Kind }>;

type Kinds = { readonly [Kind in Action["kind"]]: ActionKind<ActionOf<Kind>> };

/** What a kind remembers from run to run it remembers for one registry. */
function createKinds(): Kinds {
  return { sync: trackedAction(createSyncAction()), command: commandAction, csync2: createCsync2Action() };
}

/** The kinds of actions behind one function. */
export function createActionRegistry(deps: ActionDeps): RunAction {
  const kinds = createKinds();
  return async (job, action, context) => {
    try {
      return await kindOf(kinds, action).run(job, action, { context, deps });
    } catch (error) {
      const isBug = !(error instanceof OperatorError);
      if (isBug) context.log.error({ error: describeError(error), stack: coerceError(error).stack }, "action crashed");
      // After a bug nobody knows what it had started, and whether that still writes.
      const report = isBug ? { argv: [], exitCode: null, signal: null, stats: null, output: "" } : null;
      return { kind: "failed", cause: "exception", message: describeError(error), retryable: false, report };
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
  return kindOf(createKinds(), action).preview(job, action, options);
}

function kindOf(kinds: Kinds, action: Action): ActionKind<Action> {
  return kinds[action.kind] as ActionKind<Action>;
}
