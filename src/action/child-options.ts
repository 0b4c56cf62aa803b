import type { Job } from "../config/resolved.ts";
import type { ProcessOptions, ProcessSpec } from "../process/process-contract.ts";
import { childEnvironment } from "../process/child-environment.ts";
import { isMainProcessOfUnit } from "../process/main-process-of-unit.ts";
import type { ActionContext, ActionDeps } from "./action-kind.ts";

/** How the children of actions are started and watched. */
export function childOptions(
  job: Job,
  { context, deps }: { context: ActionContext; deps: ActionDeps },
): Pick<
  ProcessOptions,
  "signal" | "clock" | "log" | "grace" | "hurry" | "stallTimeoutMs" | "dieWithParent" | "onSpawn"
> {
  return {
    signal: context.signal,
    clock: deps.clock,
    log: context.log,
    grace: deps.stopGrace,
    hurry: deps.hurry,
    stallTimeoutMs: job.stallTimeoutMs,
    dieWithParent: !isMainProcessOfUnit(deps.env),
    onSpawn: (pid) => context.onSpawned(pid),
  };
}

/** `hasTarget`: the child works for the target of its context, and for no other. */
export function childSpec(
  argv: readonly string[],
  actionId: string,
  { context, deps, hasTarget = true }: { context: ActionContext; deps: ActionDeps; hasTarget?: boolean },
): ProcessSpec {
  const [file = "", ...args] = argv;
  const { runId, jobId, attempt } = context;
  const target = hasTarget ? context.target.id : undefined;
  return { file, args, env: childEnvironment(deps.env, { runId, jobId, actionId, attempt, target }) };
}
