import { OperatorError } from "../../base/errors.ts";
import type { OfflineStatus } from "../../daemon/inspect/offline-status.ts";
import { readOfflineStatus } from "../../daemon/inspect/offline-status.ts";
import type { InstanceStatus } from "../../model/status.ts";
import type { CommandContext } from "../command-context.ts";
import type { StatusReport } from "../status-report.ts";
import type { OpenedInstance } from "./open-instance.ts";
import { describeUnreached, reachDirector, type Reached } from "./reach-director.ts";

interface Options {
  readonly env: CommandContext["env"];
  readonly now: number;
  readonly withinMs?: number;
}

/** The status as the director says it or, where none can be asked, as configuration and history do. */
export async function readStatus(instance: OpenedInstance, options: Options): Promise<StatusReport> {
  const { env, now, withinMs } = options;
  const reached = await reachDirector(instance, env, withinMs === undefined ? {} : { withinMs });
  return reached.kind === "running"
    ? reportOf(reached.status)
    : offlineReport(reached, instance, await offlineStatus(instance, { env, now }));
}

export function reportOf(status: InstanceStatus): StatusReport {
  return { director: "running", directorDetail: null, ...status };
}

/** Throws what is wrong with the configuration: without a director it is all there is to know. */
export function offlineStatus(instance: OpenedInstance, options: { env: CommandContext["env"]; now: number }) {
  const { config, problem } = instance;
  if (config === undefined) throw problem ?? new OperatorError(`${instance.file} cannot be used`);
  return readOfflineStatus(config, options);
}

export function offlineReport(
  reached: Exclude<Reached, { kind: "running" }>,
  instance: OpenedInstance,
  offline: OfflineStatus,
): StatusReport {
  return { director: reached.kind, directorDetail: describeUnreached(reached, instance), ...offline };
}
