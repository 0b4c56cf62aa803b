import type { Job, LockFile, SshEndpoint } from "../../config/resolved.ts";
import type { HoldPlace, LockOwner, LockRecord } from "../lock-record.ts";
import type { LockTarget, TransportPool } from "../transport/transport-pool.ts";
import { joinFences } from "./joined-fences.ts";

/**
 * Finds the way to the hold file that somebody else's lock names. A lock file is no reason to log in to hosts
 * that the configuration does not know: the host is this machine, or one that the job itself has to do with,
 * and then with the account that the job has there. All directors call a host by the same name. A lock that names
 * several is reached as if they were one, which is free when all of them are.
 */
export function createFenceFinder(
  job: Pick<Job, "targets" | "lockFiles" | "blocksOn">,
  { transports, owner }: { transports: TransportPool; owner: LockOwner },
): (record: LockRecord) => Promise<LockTarget | undefined> {
  const locks = [...job.lockFiles, ...job.blocksOn.map(({ lock }) => lock)];
  const ofTargets = job.targets.map(({ endpoint }) => endpoint);
  const endpoints = [...ofTargets, ...locks.map((lock) => (lock.type === "remote" ? lock.endpoint : undefined))];
  return async ({ fence, owner: of }) => {
    if (fence === undefined) return undefined;
    const wayTo = async (place: HoldPlace) => {
      const at = findWay(place, { of, self: owner, endpoints });
      return at === undefined ? undefined : transports.locate(at);
    };
    const first = await wayTo(fence);
    if (first === undefined || fence.others === undefined) return first;
    const others = await Promise.all(
      fence.others.map(async (place) => ({ host: place.host ?? of.host, way: await wayTo(place) })),
    );
    return joinFences(first, others);
  };
}

function findWay(
  { host: named, port, path }: HoldPlace,
  about: { of: LockOwner; self: LockOwner; endpoints: readonly (SshEndpoint | undefined)[] },
): LockFile | undefined {
  const { of, self, endpoints } = about;
  const isHere = self.machine !== "" && of.machine === self.machine && of.host === self.host;
  if (named === null && isHere) return { type: "local", path };
  const host = named ?? of.host;
  const endpoint = endpoints.find((known) => known?.host === host && (named === null || known.port === port));
  return endpoint === undefined ? undefined : { type: "remote", path, endpoint };
}
