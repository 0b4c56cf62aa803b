import { readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { Job, LockFile, LockLease, SshEndpoint } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { createFaultyTransport } from "../support/faulty-transport.ts";
import { contend, Witness } from "../support/lock-contest.ts";
import { blockOn, lockContent } from "../support/lock-fixture.ts";
import { LockHistory } from "../support/lock-history.ts";
import type { Fault, OperationNote } from "../support/memory-lock-host.ts";
import { waitUntil } from "../support/process-state.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const faults = ["before", "after", "late"] as const;
const runsEach = 2;
/** So many contests at a time: most of one is waiting. */
const atOnce = 6;
/** No contest comes near it: what goes round in circles is stopped here. */
const most = 400;
/** A contest takes seconds, so that only the first of its operations are lost one by one: as many as this says, or `all`. */
const wanted = process.env["LOCK_FAULTS"] ?? "24";
const firstFaults = wanted === "all" ? Infinity : Number(wanted);
const extent = wanted === "all" ? "whole" : "bounded";
const deadToken = "dead-owner-token-0123456";

/** Lives and pauses in milliseconds instead of seconds, with room for a machine that is busy. */
const quick = {
  operationMs: 8000,
  leaseTickMs: 50,
  beatRetryMs: 100,
  backoffBaseMs: 20,
  backoffMaxMs: 300,
  yieldPollMs: 50,
  yieldWaitMs: 1000,
  releaseRetryMs: 50,
  claimHeartbeatMs: 300,
  reapEveryMs: 200,
  staleWindowMs: 500,
  stalePollMs: 100,
  staleGapMs: 5000,
  shortestTtlMs: 500,
  breakDelayMs: 0,
};
const lease: LockLease = {
  ...defaultLease,
  ...{ heartbeatMs: 300, ttlMs: 30_000, renewDeadlineMs: 20_000, claimTtlMs: 15_000, minTtlMs: 500 },
};

interface Place {
  /** A new path on the host, as a job names it. */
  newLock(name: string): Promise<LockFile>;
}
type NewJobs = (place: Place) => Promise<readonly Job[]>;

const listEachOther: NewJobs = async (place) => {
  const [a, b, c, mutex] = await Promise.all(["a", "b", "c", "mutex"].map((name) => place.newLock(name)));
  if (a === undefined || b === undefined || c === undefined || mutex === undefined) throw new Error("unreachable");
  const soon = (lock: LockFile) => blockOn(lock, { waitTimeMs: 50 });
  return [
    buildJob({ id: "one", lease, lockFiles: [a, mutex], blocksOn: [soon(b), soon(c)] }),
    buildJob({ id: "two", lease, lockFiles: [b, mutex], blocksOn: [soon(a), soon(c)] }),
    buildJob({ id: "three", lease, lockFiles: [c], blocksOn: [soon(a), soon(b)] }),
  ];
};

/** Two that share a lock of somebody who is not there any more. */
const inheritLock: NewJobs = async (place) => {
  const mutex = await place.newLock("mutex");
  await writeFile(mutex.path, lockContent({ token: deadToken, hb: 1, ttl: 1, hold: true }));
  return ["one", "two"].map((id) => buildJob({ id, lease, lockFiles: [mutex] }));
};

type Counts = (kind: OperationNote["kind"]) => boolean;

async function runContest(jobs: readonly Job[], faultAt: number, { fault, counts }: { fault: Fault; counts: Counts }) {
  let operations = 0;
  let suffered: OperationNote["kind"] | undefined;
  const decide = (kind: OperationNote["kind"]) => {
    if (!counts(kind)) return undefined;
    operations += 1;
    if (operations !== faultAt) return undefined;
    suffered = kind;
    return fault;
  };
  const late: Promise<unknown>[] = [];
  const plan = { decide, clock: systemClock, lateMs: 700, late };
  const witness = new Witness();
  const { signal } = new AbortController();
  const history = new LockHistory();
  const directors = await Promise.all(
    jobs.map(({ id }) => {
      // The record has what the director asked and was told, faults included.
      const { wrap } = history.record(id);
      return createRealLocks(id, quick, (transport) => wrap(createFaultyTransport(transport, plan)));
    }),
  );
  try {
    const options = { witness, clock: systemClock, workMs: 100, signal };
    await Promise.all(
      jobs.map((job, index) => contend({ locks: directors[index]!.locks, job, runs: runsEach }, options)),
    );
    const { most, lost } = witness;
    const directories = new Set(jobs.flatMap(({ lockFiles }) => lockFiles.map(({ path }) => dirname(path))));
    const left = async () =>
      (await Promise.all([...directories].map((directory) => readdir(directory)))).flat().filter(isLeft).toSorted();
    // What is carried out late may come when all is over, and is taken away again.
    await Promise.all(late);
    await waitUntil("nothing is left", async () => (await left()).every((name) => name.includes(".broken.")));
    const violations = history.violations(jobs);
    return { operations, suffered, outcome: { faultAt, suffered, most, lost, violations, left: await left() } };
  } finally {
    await Promise.all(directors.map((director) => director.close()));
  }
}

/** Guard and hold files stay by design; everything else belongs to somebody. */
function isLeft(name: string): boolean {
  return !name.endsWith(".guard") && !name.endsWith(".hold");
}

describe("whichever operation is lost on a real host", () => {
  let shell: TestSshd;
  let sftp: TestSshd;
  beforeAll(async () => {
    [shell, sftp] = await Promise.all([startSshd(), startSshd({ config: ["ForceCommand internal-sftp"] })]);
  });
  afterAll(async () => void (await Promise.all([shell, sftp].map((sshd) => sshd.stop()))));

  const places: Record<string, () => Promise<Place>> = {
    local: async () => {
      const directory = await makeTempDir();
      return { newLock: (name) => Promise.resolve({ type: "local", path: join(directory, name) }) };
    },
    ssh: () => remotePlace(endpointOf(shell)),
    "ssh client": () => remotePlace(endpointOf(shell, { transport: "openssh" })),
    sftp: () => remotePlace(endpointOf(sftp)),
  };
  const remotePlace = async (endpoint: SshEndpoint): Promise<Place> => {
    const directory = await makeTempDir();
    return {
      newLock: (name) => Promise.resolve({ type: "remote", path: join(directory, name), endpoint }),
    };
  };
  /** The first operation fails, the second … up to the last one; or only up to `bound`, and until each of `hit` was hit. */
  const sweep = async (
    where: string,
    options: { fault: Fault; newJobs: NewJobs; counts: Counts; bound: number; hit: string[]; left: string[] },
  ) => {
    const { newJobs, bound, hit, left, fault } = options;
    const seen = new Set<string>();
    let [failed, longest] = [0, 1];
    // A slow host has more operations before the first that is looked for: it is swept until each kind was hit.
    const isBound = () => failed >= bound && hit.every((kind) => seen.has(kind));
    const isEnough = () => failed >= longest || isBound();
    while (!isEnough()) {
      const numbers = Array.from({ length: atOnce }, (_, index) => failed + 1 + index);
      const lengths = numbers.map(async (faultAt) => {
        const place = await places[where]!();
        const { suffered, outcome, operations } = await runContest(await newJobs(place), faultAt, options);
        expect(outcome).toEqual({ faultAt, suffered, most: 1, lost: 0, violations: [], left });
        if (suffered !== undefined) seen.add(suffered);
        return operations;
      });
      // How many there are depends on who comes first, and on what failed.
      longest = Math.max(longest, ...(await Promise.all(lengths)));
      failed += atOnce;
      if (longest > most) throw new Error(`a contest has ${longest} operations, more than ${most}`);
    }
    const part = failed < longest ? `the first ${failed}` : "each";
    console.log(`fault "${fault}", ${where}: ${part} of up to ${longest} operations failed, one in each contest`);
    return seen;
  };

  it.each(["local", "ssh", "ssh client", "sftp"].flatMap((where) => faults.map((fault) => [where, fault] as const)))(
    `three that list each other never run together, and all go on (%s, %s, ${extent})`,
    async (where, fault) => {
      const hit = ["acquire", "check", "release"];
      const seen = await sweep(where, {
        fault,
        newJobs: listEachOther,
        counts: () => true,
        bound: firstFaults,
        hit,
        left: [],
      });
      expect([...seen]).toEqual(expect.arrayContaining(hit));
    },
  );

  it.each(["local", "ssh"].flatMap((where) => faults.map((fault) => [where, fault] as const)))(
    `two get the lock of one who died, one after the other (%s, %s, ${extent})`,
    async (where, fault) => {
      const left = [`mutex.broken.${deadToken}`];
      // The many looks at a lock that is watched are all the same.
      const counts: Counts = (kind) => kind !== "check";
      const hit = ["acquire", "break", "release"];
      const seen = await sweep(where, { fault, newJobs: inheritLock, counts, bound: firstFaults / 2, hit, left });
      expect([...seen]).toEqual(expect.arrayContaining(hit));
    },
  );
});
