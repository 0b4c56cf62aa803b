import { describe, expect, it } from "vitest";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { contend, randomFrom, StoppableClock, Witness } from "../../../support/lock-contest.ts";
import { blockOn, createDirector, remoteLock } from "../../../support/lock-fixture.ts";
import { type Fault, MemoryLockHost } from "../../../support/memory-lock-host.ts";

const seconds = (count: number) => count * 1000;
const shared = remoteLock("alpha", "/locks/a");

/** Two directors with the same mutex; the first holds it and works for two hours. */
async function startPair() {
  const clock = new FakeClock();
  const host = new MemoryLockHost("alpha", clock);
  const ownClock = new StoppableClock(clock);
  const partition = { active: false };
  const fault = (): Fault | undefined => (partition.active ? "before" : undefined);
  const witness = new Witness();
  const { signal } = new AbortController();
  const one = createDirector({ hosts: [host], clock: ownClock, name: "one", fault });
  const two = createDirector({ hosts: [host], clock, name: "two" });
  const jobs = ["one", "two"].map((id) => buildJob({ id, lockFiles: [shared] }));
  const options = { witness, workMs: seconds(7200), signal };
  const first = { locks: one.locks, job: jobs[0] as (typeof jobs)[0], runs: 1 };
  const second = { locks: two.locks, job: jobs[1] as (typeof jobs)[0], runs: 1 };
  const all = Promise.all([
    contend(first, { ...options, clock: ownClock }),
    clock.advance(1000).then(() => contend(second, { ...options, clock, workMs: seconds(300) })),
  ]);
  await clock.advance(seconds(60));
  const lostAt = { one: Number.NaN };
  one.events.on("lock:lost", () => (lostAt.one = clock.monotonic()));
  const takenBy = { two: Number.NaN };
  two.events.on("lock:held", () => (takenBy.two = clock.monotonic()));
  return { clock, ownClock, host, partition, witness, one, two, all, jobs, lostAt, takenBy };
}

describe("when the owner cannot reach the lock's host", () => {
  it.each([1, 60, 300, 440])("for %d s, it keeps the lock, and the other waits", async (length) => {
    const { clock, partition, witness, two } = await startPair();
    partition.active = true;
    await clock.advance(seconds(length));
    partition.active = false;
    await clock.advance(seconds(1000));
    expect(witness).toMatchObject({ inside: 1, most: 1, lost: 0 });
    expect(two.events.of("lock:broken")).toEqual([]);
  });

  it.each([485, 560, 700, 1000, 5000])("for %d s, its job has ended before the other's begins", async (length) => {
    const { clock, partition, witness, lostAt, takenBy, jobs } = await startPair();
    partition.active = true;
    await clock.advance(seconds(length));
    partition.active = false;
    await clock.advance(seconds(20_000));
    expect(witness.most).toBe(1);
    expect(witness.lost).toBe(1);
    expect(takenBy.two - lostAt.one).toBeGreaterThanOrEqual(seconds(30));
    expect(witness.fewestDone(jobs)).toBe(1);
  });

  it("breaks nothing of a living owner while the breaker itself is cut off", async () => {
    const { clock, host, witness, two } = await startPair();
    host.fault = () => (Math.floor(clock.monotonic() / 1000) % 100 < 60 ? "before" : undefined);
    await clock.advance(seconds(6000));
    expect(witness.most).toBe(1);
    expect(two.events.of("lock:broken")).toEqual([]);
  });
});

describe("when the owner is stopped", () => {
  it.each([60, 400, 590])("for %d s, it goes on as if nothing had happened", async (length) => {
    const { clock, ownClock, witness } = await startPair();
    ownClock.stop();
    await clock.advance(seconds(length));
    ownClock.resume();
    await clock.advance(seconds(2000));
    expect(witness).toMatchObject({ inside: 1, most: 1, lost: 0 });
  });

  it("until its lock is broken, it notices within a second, and leaves the new owner's lock alone", async () => {
    const { clock, ownClock, host, lostAt, takenBy, two } = await startPair();
    ownClock.stop();
    await clock.advance(seconds(740));
    expect(two.events.of("lock:broken")).toHaveLength(1);
    expect(takenBy.two).toBeLessThan(clock.monotonic());
    const before = host.check("/locks/a");
    const resumedAt = clock.monotonic();
    ownClock.resume();
    await clock.advance(seconds(1));
    expect(lostAt.one - resumedAt).toBeLessThanOrEqual(seconds(1));
    await clock.advance(seconds(5));
    expect(host.check("/locks/a")).toMatchObject({
      found: { record: { token: before.kind === "held" ? before.found.record?.token : "" } },
    });
  });
});

describe("at random faults", () => {
  const hostNames = ["alpha", "beta", "gamma"] as const;

  it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    "three jobs in a ring never run beside a neighbour, and all get their turn (seed %d)",
    { timeout: 60_000 },
    async (seed) => {
      const random = randomFrom(seed);
      const clock = new FakeClock();
      const hosts = hostNames.map((name) => new MemoryLockHost(name, clock));
      let calm = false;
      for (const host of hosts) {
        host.fault = () => {
          const kinds = ["before", "after", "late", "refused"] as const;
          return !calm && random() < 0.15 ? kinds[Math.floor(random() * kinds.length)] : undefined;
        };
      }
      // Each lists all others: any two of them exclude each other.
      const jobs = hostNames.map((name) => {
        const others = hostNames.filter((other) => other !== name);
        const blocksOn = others.map((other) => blockOn(remoteLock(other, "/locks/x"), { waitTimeMs: 5000 }));
        return buildJob({ id: name, lockFiles: [remoteLock(name, "/locks/x")], blocksOn });
      });
      const witness = new Witness();
      const { signal } = new AbortController();
      const all = Promise.all(
        jobs.map((job) => {
          const { locks } = createDirector({ hosts, clock, random, name: job.id });
          return contend({ locks, job, runs: 5 }, { witness, clock, workMs: seconds(45), signal });
        }),
      );
      await clock.advance(seconds(1800));
      calm = true;
      for (let minute = 0; minute < 120 && witness.fewestDone(jobs) < 5; minute += 1) await clock.advance(seconds(60));
      expect({ most: witness.most, done: witness.fewestDone(jobs) }).toEqual({ most: 1, done: 5 });
      await all;
      await clock.advance(seconds(300));
      const left = hosts.flatMap((host) => [...host.files.keys()]);
      expect(left.filter((path) => !path.includes(".broken."))).toEqual([]);
    },
  );
});
