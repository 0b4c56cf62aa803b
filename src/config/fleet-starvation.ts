import { basename, resolve } from "node:path";
import { openPattern, readFields } from "./cron-fields.ts";
import { excludeEachOther, runInTurn } from "./fleet-exclusion.ts";
import { type FleetFinding, type FleetJob, makeFinding, nameJob, placeOf } from "./fleet.ts";
import type { CommandAction } from "./resolved.ts";

/**
 * Jobs that may never come to their turn. Two jobs cannot wait for each other for ever, because nobody waits
 * while holding a lock; but who waits holds nothing either, and has no place in a queue.
 */
export function findStarvation(jobs: readonly FleetJob[]): FleetFinding[] {
  return [
    ...jobs.flatMap((job) => findCrowding(job, jobs)),
    ...jobs.flatMap((job) => findRelay(job, jobs)),
    ...jobs.flatMap((job) => findInnerRun(job, jobs)),
  ];
}

const crowdedMinutes = 5;

/** A job that starts so often, and queues, that its lock may never be seen free. */
function findCrowding(crowd: FleetJob, jobs: readonly FleetJob[]): FleetFinding[] {
  const { job, member, where, takes } = crowd;
  const minutes = shortestInterval(crowd);
  if (job.concurrency !== "queue" || minutes === undefined || minutes > crowdedMinutes) return [];
  const keys = new Set(takes.map(({ key }) => key));
  const others = jobs.filter(
    (other) =>
      other !== crowd && !runInTurn(other, crowd) && [...other.takes, ...other.waits].some(({ key }) => keys.has(key)),
  );
  if (others.length === 0) return [];
  const every = minutes === 1 ? "every minute" : `every ${minutes} minutes`;
  return [
    makeFinding(member, job.schedules.length > 0 ? [...where, "schedule"] : ["cron_schedule"], {
      level: "warning",
      kind: "starvation",
      message: `job ${job.id} starts ${every} and queues: when it takes longer than that, its runs follow each other without a gap, and ${others.map(nameJob).join(", ")} may never find ${takes[0]?.shown ?? "its lock"} free`,
      remedy: `concurrency: forbid for job ${job.id} (a time that comes while it runs is dropped), or start it less often`,
    }),
  ];
}

const relayMinutes = 60;

/** A job that needs several locks to be free at once, whose owners may take turns. */
function findRelay(waiter: FleetJob, jobs: readonly FleetJob[]): FleetFinding[] {
  const { job, member, waits } = waiter;
  if (job.timeoutMs !== undefined || job.blocksOn.some(({ timeoutMs }) => timeoutMs !== undefined)) return [];
  const keys = new Set(waits.map(({ key }) => key));
  const owners = jobs.filter(
    (other) =>
      other !== waiter &&
      !runInTurn(other, waiter) &&
      other.takes.some(({ key }) => keys.has(key)) &&
      (shortestInterval(other) ?? Infinity) <= relayMinutes,
  );
  const pair = owners
    .flatMap((one, index) => owners.slice(index + 1).map((other) => [one, other] as const))
    .find(([one, other]) => !excludeEachOther(one, other) && !runInTurn(one, other));
  const first = waits[0];
  if (pair === undefined || first === undefined) return [];
  return [
    makeFinding(member, first.where.slice(0, 3), {
      level: "warning",
      kind: "starvation",
      message: `job ${job.id} begins only when ${nameJob(pair[0])} and ${nameJob(pair[1])} are idle at the same time; both start at least once an hour and do not exclude each other, so they may take turns for ever, and it waits without a timeout`,
      remedy: "give its blocks_on a timeout with on_timeout: fail, so that somebody is told",
    }),
  ];
}

/** A command that runs a job which needs a lock of the very job that waits for the command. */
function findInnerRun(outer: FleetJob, jobs: readonly FleetJob[]): FleetFinding[] {
  const { job, member, where, takes } = outer;
  const held = new Set(takes.map(({ key }) => key));
  return job.actions.flatMap((action, index) => {
    const called = action.kind === "command" ? readInnerRun(action) : undefined;
    if (called === undefined) return [];
    return jobs
      .filter((inner) => inner.member.config.file === resolve(called.config ?? member.config.file))
      .filter((inner) => called.jobs.length === 0 || called.jobs.includes(inner.job.id))
      .flatMap((inner) => {
        const lock = [...inner.takes, ...inner.waits].find(({ key }) => held.has(key));
        if (lock === undefined) return [];
        return makeFinding(member, [...where, "actions", index], {
          level: "error",
          kind: "deadlock",
          message: `runs ${nameJob(inner)}, which needs ${lock.shown}; job ${job.id} holds that (${placeOf(member, where)}) until the command has ended: neither goes on`,
          remedy: `run job ${inner.job.id} by a schedule, or give the two different locks`,
        });
      });
  });
}

/** `rsyncdirector run JOB... -c FILE` among the words of a command. */
function readInnerRun({ argv, shell }: CommandAction): { config: string | undefined; jobs: string[] } | undefined {
  const words = shell ? argv.flatMap((script) => script.split(/[\s;&|]+/)) : [...argv];
  const start = words.findIndex((word, index) => basename(word) === "rsyncdirector" && words[index + 1] === "run");
  if (start === -1) return undefined;
  let config: string | undefined;
  const jobs: string[] = [];
  const rest = words.slice(start + 2);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "-c" || word === "--config") config = rest.shift();
    else if (word.startsWith("--config=")) config = word.slice("--config=".length);
    else if (!word.startsWith("-")) jobs.push(word);
  }
  return { config, jobs };
}

/** Minutes between two times of a job's schedules, at the shortest; undefined: it has none, or they are rare. */
function shortestInterval({ job, member }: FleetJob): number | undefined {
  const { schedules } = job.schedules.length > 0 ? job : member.config;
  const intervals = schedules.map((expression) => {
    const cron = openPattern(readFields(expression, job.scheduling.cronDialect));
    const times = cron.nextRuns(30, new Date("2023-12-31T00:00:00Z")).map((time) => time.getTime());
    return Math.min(...times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 60_000));
  });
  const shortest = Math.min(...intervals);
  return Number.isFinite(shortest) ? shortest : undefined;
}
