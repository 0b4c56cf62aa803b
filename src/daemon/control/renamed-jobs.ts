import type { Config, Job } from "../../config/resolved.ts";

/**
 * Jobs that are at work and have left the configuration, while a new job leads to one of their destinations. Two jobs
 * never overlap only where they have one id or one lock, so that nothing would keep the new one from writing beside it.
 */
export function findRunningUnderOldNames(
  before: Pick<Config, "jobs">,
  after: Pick<Config, "jobs">,
  isActive: (jobId: string) => boolean,
): { readonly old: string; readonly now: string }[] {
  const [oldIds, newIds] = [before, after].map(({ jobs }) => new Set(jobs.map(({ id }) => id)));
  const gone = before.jobs.filter(({ id }) => newIds?.has(id) !== true && isActive(id));
  const added = after.jobs.filter(({ id }) => oldIds?.has(id) !== true);
  return gone.flatMap((old) => {
    const destinations = destinationsOf(old);
    const now = added.find((job) => [...destinationsOf(job)].some((destination) => destinations.has(destination)));
    return now === undefined ? [] : [{ old: old.id, now: now.id }];
  });
}

function destinationsOf({ actions, targets, direction }: Job): Set<string> {
  const syncs = actions.filter((action) => action.kind === "sync");
  return new Set(
    syncs.flatMap(({ dest }) =>
      targets.map((target) => {
        const { host, user, port } = (direction === "push" ? target.endpoint : undefined) ?? {};
        return JSON.stringify([host, user, port, (target.dest ?? dest).replace(/\/+$/, "")]);
      }),
    ),
  );
}
