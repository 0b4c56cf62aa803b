import { describe, expect, it } from "vitest";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { contend, randomFrom, Witness } from "../../support/lock-contest.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../support/lock-fixture.ts";
import { type Fault, MemoryLockHost, type OperationNote } from "../../support/memory-lock-transport.ts";

const runsEach = 3;
const faults = ["before", "after", "late", "refused"] as const;
const [alpha, beta] = [remoteLock("alpha", "/locks/a"), remoteLock("beta", "/locks/b")];
const deadToken = "dead-owner-token-0123456";

/** One operation fails: what follows has to be safe, to come to an end, and to leave nothing behind. */
async function runContest(
  jobs: readonly ReturnType<typeof buildJob>[],
  options: {
    faultAt: number;
    fault: Fault;
    workMs: number;
    counts: (operation: OperationNote) => boolean;
    dead?: boolean;
  },
) {
  const { faultAt, fault, workMs, counts } = options;
  const clock = new FakeClock();
  const hosts = [new MemoryLockHost("alpha", clock), new MemoryLockHost("beta", clock)] as const;
  if (options.dead === true)
    hosts[0].write("/locks/a", lockContent({ token: deadToken, hb: 30, ttl: 600, hold: true }));
  let operations = 0;
  for (const host of hosts) {
    host.fault = (operation) => (counts(operation) && ++operations === faultAt ? fault : undefined);
  }
  const witness = new Witness();
  const { signal } = new AbortController();
  const all = Promise.all(
    jobs.map((job, index) => {
      const { locks } = createDirector({ hosts, clock, random: randomFrom(faultAt * 2 + index), name: job.id });
      return contend({ locks, job, runs: runsEach }, { witness, clock, workMs, signal });
    }),
  );
  for (let minute = 0; minute < 60 && witness.fewestDone(jobs) < runsEach; minute += 1) await clock.advance(60_000);
  expect({ faultAt, done: witness.fewestDone(jobs) }).toEqual({ faultAt, done: runsEach });
  await all;
  await clock.advance(300_000);
  const left = hosts.flatMap((host) => [...host.files.keys()]);
  const { most, lost } = witness;
  return { operations, outcome: { faultAt, most, lost, left } };
}

async function sweep(
  limit: number,
  run: (faultAt: number) => ReturnType<typeof runContest>,
  expected: { left: readonly string[] },
): Promise<number> {
  let last = 1;
  for (let faultAt = 1; faultAt <= last; faultAt += 1) {
    const { operations, outcome } = await run(faultAt);
    expect(outcome).toEqual({ faultAt, most: 1, lost: 0, ...expected });
    last = Math.min(operations, limit);
  }
  return last;
}

describe("whichever operation is lost", () => {
  const pair = [
    buildJob({ id: "one", lockFiles: [alpha], blocksOn: [blockOn(beta, { waitTimeMs: 5000 })] }),
    buildJob({ id: "two", lockFiles: [beta], blocksOn: [blockOn(alpha, { waitTimeMs: 5000 })] }),
  ];

  it.each(faults)(
    "two jobs that list each other never run together, and both go on (%s)",
    { timeout: 120_000 },
    async (fault) => {
      const run = (faultAt: number) => runContest(pair, { faultAt, fault, workMs: 3000, counts: () => true });
      expect(await sweep(40, run, { left: [] })).toBeGreaterThan(15);
    },
  );

  it.each(faults)(
    "signs of life and promotions included, nobody loses a lock (%s)",
    { timeout: 120_000 },
    async (fault) => {
      const counts = ({ kind }: OperationNote) => kind === "beat" || kind === "promote";
      const run = (faultAt: number) => runContest(pair, { faultAt, fault, workMs: 70_000, counts });
      expect(await sweep(20, run, { left: [] })).toBeGreaterThan(15);
    },
  );

  it.each(faults)(
    "three that share a lock whose owner died all get it, one at a time (%s)",
    { timeout: 120_000 },
    async (fault) => {
      const jobs = ["one", "two", "three"].map((id) => buildJob({ id, lockFiles: [alpha] }));
      const counts = ({ kind }: OperationNote) => kind !== "check";
      const run = (faultAt: number) => runContest(jobs, { faultAt, fault, workMs: 40_000, counts, dead: true });
      // What was broken is the dead owner's lock and never anybody else's.
      const left = [`/locks/a.broken.${deadToken}`];
      expect(await sweep(16, run, { left })).toBeGreaterThan(12);
    },
  );
});
