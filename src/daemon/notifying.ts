import { hostname } from "node:os";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/resolved.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { JobStatus } from "../model/status.ts";
import { type Notifier, type NotifySettings, openNotifier } from "../notify/notifier.ts";
import { notifyFile } from "./paths.ts";

export interface NotifyingOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: Emitter<DirectorEvents>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

/** The notifier of a director; another configuration is handed to it as it is. */
export interface Notifying extends Pick<Notifier, "freshness" | "close"> {
  reconfigure(config: Config): void;
}

/** Tells over the channels of the configuration what becomes of its jobs. */
export async function startNotifying(config: Config, options: NotifyingOptions): Promise<Notifying> {
  const notifier = await openNotifier({
    ...options,
    ...settingsOf(config),
    rsyncId: config.rsyncId,
    hostname: hostname(),
    file: notifyFile(config, options.env),
  });
  return { ...notifier, reconfigure: (next) => notifier.reconfigure(settingsOf(next)) };
}

function settingsOf({ notify, jobs }: Config): NotifySettings {
  const targetsOf = ({ targets }: Config["jobs"][number]) => (targets.length === 1 ? [] : targets.map(({ id }) => id));
  return { channels: notify, jobs: new Map(jobs.map((job) => [job.id, targetsOf(job)])) };
}

const freshnessCheckMs = 60_000;

/** Tells the notifier once a minute how fresh the copies are; returns what ends that. */
export function tellFreshness({
  statuses,
  notifier,
  clock,
}: {
  readonly statuses: () => readonly Pick<JobStatus, "jobId" | "targets">[];
  readonly notifier: Pick<Notifier, "freshness">;
  readonly clock: Clock;
}): () => void {
  let cancel: () => void = () => undefined;
  const look = () => {
    const at = clock.now();
    notifier.freshness(
      statuses().flatMap(({ jobId, targets }) =>
        targets.map(({ targetId, freshness, lastSuccessAt }) => ({
          ...{ jobId, targetId: targets.length === 1 ? "" : targetId, freshness, lastSuccessAt, at },
        })),
      ),
    );
    cancel = clock.setTimer(freshnessCheckMs, look);
  };
  cancel = clock.setTimer(freshnessCheckMs, look);
  return () => cancel();
}
