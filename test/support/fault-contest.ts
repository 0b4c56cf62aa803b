import { expect } from "vitest";
import type { Job } from "../../src/config/resolved.ts";
import { FakeClock } from "./fake-clock.ts";
import { contend, randomFrom, Witness } from "./lock-contest.ts";
import { createDirector } from "./lock-fixture.ts";
import { createMemoryJournal } from "./memory-journal.ts";
import { type Fault, MemoryLockHost, type OperationNote } from "./memory-lock-host.ts";

export const allFaults: readonly Fault[] = ["before", "after", "late", "refused"];

/** No contest comes near it: what goes round in circles is stopped here. */
const most = 400;

export interface FaultContest {
  readonly jobs: readonly Job[];
  /** Names of the imagined hosts; the first one is given to `prepare`. */
  readonly hosts: readonly string[];
  readonly fault: Fault;
  readonly runsEach: number;
  readonly workMs: number;
  /** Which operations are counted, so that the n-th of them fails. */
  readonly counts: (operation: OperationNote) => boolean;
  /** Directories are tried before the first claim in them. */
  readonly probed?: boolean;
  /** Every answer comes so late, so that what was seen is not so any more when it is told. */
  readonly answerDelayMs?: number;
  /** What lies there from the beginning. */
  readonly prepare?: (host: MemoryLockHost) => void;
}

/** Runs the contest with the `faultAt`-th operation failing, to the end of all jobs and a while beyond. */
async function runContest(contest: FaultContest, faultAt: number) {
  const { jobs, fault, runsEach, workMs, counts, prepare, probed = false, answerDelayMs = 0 } = contest;
  const clock = new FakeClock();
  const hosts = contest.hosts.map((name) => new MemoryLockHost(name, clock));
  if (hosts[0] !== undefined) prepare?.(hosts[0]);
  let operations = 0;
  let suffered: string | undefined;
  for (const host of hosts) {
    host.answerDelayMs = answerDelayMs;
    host.fault = (operation) => {
      if (!counts(operation) || ++operations !== faultAt) return undefined;
      suffered = operation.kind;
      return fault;
    };
  }
  const witness = new Witness();
  const { signal } = new AbortController();
  const journals = jobs.map(createMemoryJournal);
  const all = Promise.all(
    jobs.map((job, index) => {
      const random = randomFrom(faultAt * jobs.length + index);
      const journal = journals[index];
      const { locks } = createDirector({ hosts, clock, random, name: job.id, probed, ...(journal && { journal }) });
      return contend({ locks, job, runs: runsEach }, { witness, clock, workMs, signal });
    }),
  );
  for (let minute = 0; minute < 90 && witness.fewestDone(jobs) < runsEach; minute += 1) await clock.advance(60_000);
  expect({ faultAt, suffered, done: witness.fewestDone(jobs) }).toEqual({ faultAt, suffered, done: runsEach });
  await all;
  await clock.advance(300_000);
  const left = hosts.flatMap((host) => [...host.files.keys()]);
  const tokens = journals.reduce((count, { open }) => count + open.size, 0);
  const { most, lost } = witness;
  return { operations, suffered, tokens, outcome: { faultAt, suffered, most, lost, left } };
}

/**
 * For n = 1, 2, … up to the last operation of the contest the n-th fails: each time nobody runs beside another, nobody
 * loses a lock, every job gets its turns, and nothing stays behind but `left`. Answers with the kinds that failed.
 */
export async function sweepFaults(
  contest: FaultContest,
  { left = [] }: { left?: readonly string[] } = {},
): Promise<Map<string, number>> {
  const kinds = new Map<string, number>();
  let last = 1;
  for (let faultAt = 1; faultAt <= last; faultAt += 1) {
    const { operations, suffered, tokens, outcome } = await runContest(contest, faultAt);
    expect(outcome).toEqual({ faultAt, suffered, most: 1, lost: 0, left });
    // Whoever was never told that its claim was carried out, or not, has to remember it for a day.
    const mayStay = suffered === "acquire" && contest.fault !== "refused" ? 1 : 0;
    expect({ faultAt, suffered, tokens: Math.max(tokens, mayStay) }).toEqual({ faultAt, suffered, tokens: mayStay });
    if (suffered !== undefined) kinds.set(suffered, (kinds.get(suffered) ?? 0) + 1);
    // An end of the contest that is not reached must not be left out in silence.
    if (operations > most) throw new Error(`with operation ${faultAt} lost there are ${operations}, more than ${most}`);
    last = operations;
  }
  return kinds;
}
