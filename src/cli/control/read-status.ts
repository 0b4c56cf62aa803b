import { stat } from "node:fs/promises";
import { OperatorError } from "../../base/errors.ts";
import type { OfflineStatus } from "../../daemon/inspect/offline-status.ts";
import type { InstanceStatus, JobStatus } from "../../model/status.ts";
import type { CommandContext } from "../command-context.ts";
import type { StatusReport } from "../status-report.ts";
import { nameInstance } from "./name-instance.ts";
import type { OpenedInstance } from "./open-instance.ts";
import { describeUnreached, type Instance, reachDirector, type Reached } from "./reach-director.ts";

interface Options {
  readonly now: number;
  readonly withinMs?: number;
}

/**
 * The status as the director says it or, where none can be asked, as configuration and history do. `problem`: what is
 * wrong with the configuration file, which is read only when it is newer than what its director has read.
 */
export async function readStatus(
  config: string | undefined,
  context: CommandContext,
  { now, withinMs }: Options,
): Promise<{ report: StatusReport; instance: Instance; problem: OperatorError | undefined }> {
  const { env } = context;
  const named = await nameInstance(config, context);
  const reached = await reachDirector(named, env, withinMs === undefined ? {} : { withinMs });
  if (reached.kind === "running") {
    const changedAt = await stat(named.file).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    const isNewer = changedAt > reached.status.configLoadedAt;
    const problem = isNewer ? (await open(config, context)).problem : undefined;
    return { report: reportOf(reached.status), instance: named, problem };
  }
  const instance = await open(config, context);
  const report = offlineReport(reached, instance, await offlineStatus(instance, { env, now }));
  return { report, instance, problem: instance.problem };
}

/** What reads a whole configuration takes longer to load than a director to answer. */
async function open(config: string | undefined, context: CommandContext): Promise<OpenedInstance> {
  const { openInstance } = await import("./open-instance.ts");
  return openInstance(config, context);
}

export function reportOf(status: InstanceStatus): StatusReport {
  // A director that was started before an upgrade does not say all of it.
  const jobs = status.jobs.map((job) => ({ ...saidOfLate, ...job }));
  return { director: "running", directorDetail: null, ...status, jobs };
}

const saidOfLate = { fencing: null, lockLimits: [] } satisfies Partial<JobStatus>;

/** Throws what is wrong with the configuration: without a director it is all there is to know. */
export async function offlineStatus(instance: OpenedInstance, options: { env: CommandContext["env"]; now: number }) {
  const { config, problem } = instance;
  if (config === undefined) throw problem ?? new OperatorError(`${instance.file} cannot be used`);
  const { readOfflineStatus } = await import("../../daemon/inspect/offline-status.ts");
  return readOfflineStatus(config, options);
}

export function offlineReport(
  reached: Exclude<Reached, { kind: "running" }>,
  instance: OpenedInstance,
  offline: OfflineStatus,
): StatusReport {
  return { director: reached.kind, directorDetail: describeUnreached(reached, instance), ...offline };
}
