import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { Config, LogLevel } from "../config/resolved.ts";
import type { MetricJob } from "../metrics/job-series.ts";
import type { MetricsRecorder } from "../metrics/record-metrics.ts";
import type { recordWatches } from "../metrics/record-watches.ts";
import type { CronTrigger } from "../trigger/cron-trigger.ts";
import { planSchedules, type SchedulePlan } from "../trigger/schedule-plan.ts";
import { watchedTargets, type WatchTrigger } from "../trigger/watch-trigger.ts";
import type { RunningControl } from "./control/director-control.ts";
import type { PreparedConfig } from "./control/reload.ts";
import type { Director } from "./director.ts";
import type { RootLogger } from "./logging.ts";
import { logOutputs } from "./observers.ts";

/** Everything that is built from the jobs of a configuration and can change them while it works. */
export interface Reconfigurable {
  readonly current: () => Config;
  readonly logLevel: LogLevel | undefined;
  readonly log: RootLogger;
  readonly director: Pick<Director, "prepare">;
  readonly recorder: MetricsRecorder;
  readonly watches: Pick<ReturnType<typeof recordWatches>, "setJobs">;
  readonly watching: Pick<WatchTrigger, "reconfigure">;
  readonly cron: Pick<CronTrigger, "replan">;
  readonly control: Pick<RunningControl, "reconfigured" | "results">;
  /** Makes the configuration the one that is in use. */
  readonly adopt: (config: Config, plans: readonly SchedulePlan[]) => void;
}

/** Opens and computes what another configuration needs. Throws an `OperatorError` where that cannot be had. */
export async function prepareConfig(next: Config, parts: Reconfigurable): Promise<PreparedConfig> {
  const { control, cron, current, director, log, logLevel, recorder, watches, watching } = parts;
  const plans = planSchedules(next, { hostname: hostname() });
  const useInDirector = await director.prepare(next);
  const outputs = isDeepStrictEqual(current().logging, next.logging)
    ? undefined
    : log.prepare(logOutputs(next, logLevel));
  return {
    discard: () => outputs?.discard(),
    use: () => {
      parts.adopt(next, plans);
      useInDirector();
      outputs?.use();
      recorder.setJobs(metricJobs(next));
      // What became of a job does not change with its definition.
      recorder.restore(control.results.all());
      watches.setJobs(watchedTargets(next.jobs));
      watching.reconfigure(next.jobs.filter(({ enabled }) => enabled));
      control.reconfigured();
      cron.replan(plans);
    },
  };
}

export function metricJobs({ jobs }: Config): MetricJob[] {
  return jobs.map(({ id, actions, targets, blocksOn }) => ({
    id,
    actionIds: actions.map((action) => action.id),
    targetIds: targets.length === 1 ? [] : targets.map((target) => target.id),
    blocks: blocksOn.length > 0,
  }));
}
