import type { History } from "./history.ts";
import { jobRuns } from "./job-runs.ts";
import { type LockLife, lockLives } from "./lock-lives.ts";
import { describeOperation, excerptOf, type Violation } from "./violation.ts";

/** A lock whose owner had died, and what it meant for others. */
export interface Blockage {
  readonly path: string;
  readonly token: string;
  readonly owner: string;
  readonly diedAt: number;
  /** From the death to the removal. */
  readonly totalMs: number;
  /** The part of it in which nothing else was wrong any more: no fault, no living writer. This is what is bounded. */
  readonly calmMs: number;
}

/** Locks of dead owners that others waited for. */
export function blockages(history: History, lives: readonly LockLife[] = lockLives(history)): Blockage[] {
  return lives.flatMap((life) => {
    const { path, token, claim, ownedFrom, ownedUntil, ownerEnded } = life;
    if (claim === undefined || ownedFrom === Infinity || ownedUntil < ownerEnded || ownerEnded === Infinity) return [];
    const removedAt = removalOf(life, history);
    const waiting = history.operations.some(
      ({ client, answer, invoked }) =>
        client !== claim.client && answer.found?.token === token && invoked > ownerEnded && invoked < removedAt,
    );
    if (!waiting) return [];
    const calmFrom = Math.max(ownerEnded, ...disturbances(life, removedAt, history));
    const calmMs = Math.max(0, removedAt - calmFrom);
    return [{ path, token, owner: claim.client, diedAt: ownerEnded, totalMs: removedAt - ownerEnded, calmMs }];
  });
}

/** Before then the lock was certainly gone; the end of the history if it never was. */
function removalOf({ path, token, removals, ownerEnded }: LockLife, { operations, events }: History): number {
  const removed = removals.filter(({ answer }) => ["released", "broken", "absent", "lost"].includes(answer.is));
  const unseen = operations.filter(
    ({ path: at, invoked, answer }) =>
      at === path &&
      invoked > ownerEnded &&
      (answer.is === "absent" || (answer.found !== undefined && answer.found.token !== token)),
  );
  const end = Math.max(0, ...operations.map(({ invoked }) => invoked), ...events.map(({ t }) => t));
  return Math.min(end, ...removed.map(({ returned }) => returned), ...unseen.map(({ returned }) => returned));
}

/** Ends of what else kept the lock: faults, and the writers of the dead owner. */
function disturbances({ claim }: LockLife, until: number, { events, writers }: History): number[] {
  const faults = events
    .filter(({ kind, t }) => (kind === "healed" || kind === "fault") && t <= until)
    .map(({ t }) => t);
  const ends = writers.filter(({ job }) => job === claim?.job).map(({ ended }) => ended);
  return [...faults, ...ends.filter((ended) => ended <= until)];
}

/** L2: a dead owner blocks others for a bounded time once nothing else is wrong. */
export function checkBlockages(history: History): Violation[] {
  const { blockBoundMs } = history.setup;
  return blockages(history)
    .filter(({ calmMs }) => calmMs > blockBoundMs)
    .map(({ path, owner, diedAt, calmMs, totalMs }) => ({
      property: "L2",
      what: `${path} of ${owner}, which was dead, blocked others for ${calmMs} ms of calm; at most ${blockBoundMs} are promised`,
      excerpt: excerptOf(history.operations, { paths: [path], from: diedAt - 1000, to: diedAt + totalMs }),
    }));
}

/** L1: every job had its turn; and in the end nothing is left behind. */
export function checkProgress(history: History): Violation[] {
  const { setup, events, operations } = history;
  const ran = new Set(jobRuns(history).map(({ job }) => job.name));
  const idle = setup.jobs.filter(({ name }) => !ran.has(name)).map(({ name }) => `${name} never ran`);
  const starved = events.flatMap((event) => (event.kind === "starved" ? [event.client] : []));
  const failed = events.flatMap((event) =>
    event.kind === "ended" && /^[1-9]/.test(event.how ?? "")
      ? [`the director ${event.client} ended with ${event.how}`]
      : [],
  );
  const left = events.flatMap((event) => (event.kind === "left" ? event.paths : []));
  return [
    ...[...idle, ...failed].map((what): Violation => ({ property: "L1", what, excerpt: [] })),
    ...starved.map((name): Violation => {
      const own = operations.filter(({ client }) => client === name);
      const what = `${name} did not run again when nothing was wrong any more`;
      return { property: "L1", what, excerpt: own.slice(-20).map(describeOperation) };
    }),
    ...left.map((path): Violation => {
      const lock = path.replace(/\.tmp\.[\w-]+$/, "");
      const excerpt = operations
        .filter((operation) => operation.path === lock)
        .slice(-20)
        .map(describeOperation);
      return { property: "L1", what: `${path} was left behind`, excerpt };
    }),
  ];
}
