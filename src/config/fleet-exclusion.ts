import { type FleetFinding, type FleetJob, makeFinding, nameJob, type NamedLock } from "./fleet.ts";

/** Job `from` waits for a lock of job `to`, which waits for none of `from`'s. */
interface OneSided {
  readonly from: FleetJob;
  readonly to: FleetJob;
  readonly lock: NamedLock;
}

/** Waits that keep only one of the two jobs away. */
export function findExclusionFlaws(jobs: readonly FleetJob[]): FleetFinding[] {
  const edges = jobs.flatMap((from) => oneSidedOf(from, jobs));
  const circles = findCircles(edges);
  const inCircle = ({ from, to }: OneSided) => circles.some((circle) => circle.includes(from) && circle.includes(to));
  return [
    ...circles.map((circle) => tellCircle(circle, edges)),
    ...edges.filter((edge) => !inCircle(edge)).map(tellOneSided),
  ];
}

function oneSidedOf(from: FleetJob, jobs: readonly FleetJob[]): OneSided[] {
  return from.waits.flatMap((lock) =>
    jobs
      .filter((to) => to !== from && to.takes.some(({ key }) => key === lock.key))
      .filter((to) => !excludeEachOther(from, to) && !runInTurn(from, to))
      .map((to) => ({ from, to, lock })),
  );
}

/** Whether two jobs never run at the same time, whatever their schedules are. */
export function excludeEachOther(one: FleetJob, other: FleetJob): boolean {
  const share = (a: readonly NamedLock[], b: readonly NamedLock[]) =>
    a.some(({ key }) => b.some((lock) => lock.key === key));
  return share(one.takes, other.takes) || (share(one.waits, other.takes) && share(other.waits, one.takes));
}

/** Jobs of one instance without a schedule of their own are run one after the other. */
export function runInTurn(one: FleetJob, other: FleetJob): boolean {
  return one.member === other.member && one.job.schedules.length === 0 && other.job.schedules.length === 0;
}

function tellOneSided({ from, to, lock }: OneSided): FleetFinding {
  const own = from.takes[0];
  const remedy =
    own === undefined
      ? `if they must not run together, name one and the same lock file in lock_files of both jobs`
      : `if they must not run together, add ${own.shown} to blocks_on of job ${to.job.id}, or name one and the same lock file in lock_files of both`;
  const why =
    own === undefined ? `job ${from.job.id} has no lock_files to wait for` : `that one waits for none of its locks`;
  return makeFinding(from.member, lock.where, {
    level: "warning",
    kind: "one-sided",
    message: `job ${from.job.id} waits for ${lock.shown} of ${nameJob(to)}, but ${why}: job ${to.job.id} may begin while job ${from.job.id} runs`,
    remedy,
  });
}

function tellCircle(circle: readonly FleetJob[], edges: readonly OneSided[]): FleetFinding {
  const [first] = circle;
  const edge = edges.find(({ from, to }) => from === first && circle.includes(to));
  if (first === undefined || edge === undefined) throw new Error("a circle has jobs that wait");
  const names = [...circle, first].map((job) => nameJob(job)).join(" → ");
  return makeFinding(first.member, edge.lock.where, {
    level: "warning",
    kind: "circle",
    message: `waits in a circle: ${names}. None of them keeps the one before it away, and when they follow close on each other one may wait for ever`,
    remedy: "name one and the same lock file in lock_files of all of them, and drop these blocks_on",
  });
}

/** Jobs that wait for each other around a corner: each list leads from one job to the next, and back. */
function findCircles(edges: readonly OneSided[]): FleetJob[][] {
  const next = (job: FleetJob) => edges.filter(({ from }) => from === job).map(({ to }) => to);
  const circles: FleetJob[][] = [];
  for (const start of new Set(edges.map(({ from }) => from))) {
    if (circles.some((circle) => circle.includes(start))) continue;
    const path = shortestWay(next(start), start, next);
    if (path !== undefined) circles.push([start, ...path]);
  }
  return circles;
}

/** From one of the jobs to the goal, which is not part of the answer; breadth first. */
function shortestWay(
  begin: readonly FleetJob[],
  goal: FleetJob,
  next: (job: FleetJob) => readonly FleetJob[],
): FleetJob[] | undefined {
  const seen = new Set(begin);
  const ways = begin.map((job) => [job]);
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const job of next(way.at(-1) as FleetJob)) {
      if (job === goal) return way;
      if (seen.has(job)) continue;
      seen.add(job);
      ways.push([...way, job]);
    }
  }
  return undefined;
}
