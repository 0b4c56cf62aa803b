import { describe, expect, it } from "vitest";
import type { Job } from "../../../src/config/resolved.ts";
import { sleep } from "../../../src/base/abort.ts";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { blockOn, createDirector, remoteLock } from "../../support/lock-fixture.ts";
import { MemoryLockHost, type Fault } from "../../support/memory-lock-transport.ts";

const runsEach = 3;

/** Two directors whose jobs list each other, each lock on a host of its own, and one operation that fails. */
async function runPair(faultAt: number, fault: Fault) {
  const clock = new FakeClock();
  const hosts = [new MemoryLockHost("alpha", clock), new MemoryLockHost("beta", clock)] as const;
  let operations = 0;
  for (const host of hosts) host.fault = () => (++operations === faultAt ? fault : undefined);
  const [alpha, beta] = [remoteLock("alpha", "/locks/a"), remoteLock("beta", "/locks/b")];
  const jobs = [
    buildJob({ id: "one", lockFiles: [alpha], blocksOn: [blockOn(beta, { waitTimeMs: 5000 })] }),
    buildJob({ id: "two", lockFiles: [beta], blocksOn: [blockOn(alpha, { waitTimeMs: 5000 })] }),
  ];
  const witness = { inside: 0, most: 0, done: 0 };
  const { signal } = new AbortController();
  const work = async (job: Job, seed: number) => {
    const { locks } = createDirector({ hosts, clock, random: randomFrom(seed), name: job.id });
    for (let run = 0; run < runsEach; run += 1) {
      const settled = await locks.claim({ job, runId: `${job.id} ${run}`, signal });
      if (settled.kind !== "held") throw new Error(`${job.id}: ${settled.kind}`);
      witness.inside += 1;
      witness.most = Math.max(witness.most, witness.inside);
      await sleep(3000, { signal, clock });
      witness.inside -= 1;
      await settled.held.release();
      witness.done += 1;
    }
  };
  const both = Promise.all(jobs.map((job, index) => work(job, faultAt * 2 + index)));
  for (let minute = 0; minute < 30 && witness.done < 2 * runsEach; minute += 1) await clock.advance(60_000);
  expect(witness.done).toBe(2 * runsEach);
  await both;
  await clock.advance(300_000);
  return { witness, operations, left: hosts.flatMap((host) => [...host.files.keys()]) };
}

/** A small generator of repeatable numbers in [0, 1): mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe("two jobs that list each other", () => {
  it.each(["before", "after", "late", "refused"] as const)(
    "never run together, both go on and leave nothing behind, whichever operation is lost (%s)",
    { timeout: 60_000 },
    async (fault) => {
      let last = 1;
      for (let faultAt = 1; faultAt <= last; faultAt += 1) {
        const { witness, operations, left } = await runPair(faultAt, fault);
        expect({ faultAt, most: witness.most, left }).toEqual({ faultAt, most: 1, left: [] });
        last = Math.min(operations, 40);
      }
      expect(last).toBeGreaterThan(15);
    },
  );
});
