import type { Job, LockFile, SshEndpoint } from "../../config/resolved.ts";
import type { LockOwner, LockRecord } from "../lock-record.ts";
import type { LockTarget, TransportPool } from "../transport/transport-pool.ts";

/**
 * Finds the way to the hold file that somebody else's lock names. A lock file is no reason to log in to hosts
 * that the configuration does not know: the host is this machine, or one that the job itself has to do with,
 * and then with the account that the job has there. All directors call a host by the same name.
 */
export function createFenceFinder(
  job: Pick<Job, "targets" | "lockFiles" | "blocksOn">,
  { transports, owner }: { transports: TransportPool; owner: LockOwner },
): (record: LockRecord) => Promise<LockTarget | undefined> {
  const locks = [...job.lockFiles, ...job.blocksOn.map(({ lock }) => lock)];
  const ofTargets = job.targets.map(({ endpoint }) => endpoint);
  const endpoints = [...ofTargets, ...locks.map((lock) => (lock.type === "remote" ? lock.endpoint : undefined))];
  return async (record) => {
    const at = findWay(record, owner, endpoints);
    return at === undefined ? undefined : transports.locate(at);
  };
}

function findWay(
  { fence, owner }: LockRecord,
  self: LockOwner,
  endpoints: readonly (SshEndpoint | undefined)[],
): LockFile | undefined {
  if (fence === undefined) return undefined;
  const { path, port } = fence;
  const isHere = self.machine !== "" && owner.machine === self.machine && owner.host === self.host;
  if (fence.host === null && isHere) return { type: "local", path };
  const host = fence.host ?? owner.host;
  const endpoint = endpoints.find((known) => known?.host === host && (fence.host === null || known.port === port));
  return endpoint === undefined ? undefined : { type: "remote", path, endpoint };
}
