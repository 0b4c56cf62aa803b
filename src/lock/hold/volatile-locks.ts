import { posix } from "node:path";
import type { Logger } from "../../base/logger.ts";
import type { Job } from "../../config/resolved.ts";
import type { HoldSite } from "./hold-plan.ts";
import { describePlace } from "../look.ts";
import { isVolatile } from "../transport/probe.ts";
import type { TransportPool } from "../transport/transport-pool.ts";

/**
 * Warns, once for each lock file, of locks that a reboot takes away while their owner and the host that is written
 * live on: others can take them then, and two jobs run. Where the lock is on one of those hosts, what it protects
 * ends with it.
 */
export function createVolatileWarner({
  transports,
  log,
}: {
  transports: TransportPool;
  log: Logger;
}): (job: Job, site: HoldSite) => Promise<void> {
  const known = new Set<string>();
  return async (job, { fence, transport: destination }) => {
    if (fence === undefined) return;
    const targets = await Promise.all(job.lockFiles.map((lock) => transports.locate(lock)));
    for (const { key, path, place, transport } of targets) {
      if (transport.host === null || transport.host === destination.host || known.has(key)) continue;
      known.add(key);
      const [answer] = await transport.probe([posix.dirname(path)], new AbortController().signal);
      if (answer?.kind !== "probed") known.delete(key);
      else if (isVolatile(answer)) {
        const fields = { job: job.id, lock: describePlace(place), fileSystem: answer.fileSystem };
        log.warn(fields, "lock file on a third host is lost when that host is rebooted: two jobs could write then");
      }
    }
  };
}
