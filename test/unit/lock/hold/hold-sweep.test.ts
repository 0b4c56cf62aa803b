import { expect, it } from "vitest";
import { sleep } from "../../../../src/base/abort.ts";
import { createGuardedLocks } from "../../../../src/lock/hold/hold-locks.ts";
import { noIntents } from "../../../../src/lock/recovery/intents.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import { buildJob } from "../../../support/build-job.ts";
import { allFaults } from "../../../support/fault-contest.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { randomFrom, Witness } from "../../../support/lock-contest.ts";
import { createDirector, memoryTransportPool, remoteLock } from "../../../support/lock-fixture.ts";
import { type Fault, MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { buildSync } from "../../../support/run-action.ts";

const runsEach = 3;
const lock = remoteLock("backup", "/locks/a");
const endpoint = lock.type === "remote" ? lock.endpoint : undefined;

/** Two directors push to one host; the writer there lives on for a while after each of them is done. */
async function pushTwice(faultAt: number, fault: Fault) {
  const clock = new FakeClock();
  const backup = new MemoryLockHost("backup", clock);
  let operations = 0;
  let suffered = "";
  backup.fault = ({ kind }) => {
    if (++operations !== faultAt) return undefined;
    suffered = kind;
    return fault;
  };
  const witness = new Witness();
  const jobs = ["one", "two"].map((id) =>
    buildJob({ id, type: "remote", endpoint, lockFiles: [lock], actions: [buildSync({})] }),
  );
  const troubles: string[] = [];
  const all = Promise.all(
    jobs.map(async (job, index) => {
      const random = randomFrom(faultAt * 2 + index);
      const director = createDirector({ hosts: [backup], clock, random, name: job.id });
      const locks = createGuardedLocks({
        ...director,
        ...{ clock, random, timings: defaultLockTimings, intents: noIntents },
        transports: memoryTransportPool([backup], clock),
        processes: { startTimeOf: () => undefined },
      });
      const { signal } = new AbortController();
      for (let run = 1; run <= runsEach; run += 1) {
        const claim = await locks.claim({ job, runId: String(run), signal });
        if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
        witness.enter();
        backup.writers.add("/locks/a.hold");
        const gone = sleep(8000, { clock, signal }).then(() => {
          backup.writers.delete("/locks/a.hold");
          witness.leave();
        });
        await sleep(4000, { clock, signal });
        troubles.push(...(await claim.held.release({ survivors: [], atTargets: ["backup", "local"] })));
        await gone;
        witness.done.set(job.id, run);
      }
    }),
  );
  for (let minute = 0; minute < 60 && witness.fewestDone(jobs) < runsEach; minute += 1) await clock.advance(60_000);
  expect({ faultAt, done: witness.fewestDone(jobs) }).toEqual({ faultAt, done: runsEach });
  await all;
  await clock.advance(300_000);
  return { operations, suffered, outcome: { faultAt, troubles, most: witness.most, left: [...backup.files.keys()] } };
}

it.each(allFaults)(
  "no lock is given back before the writer is gone, whichever operation is lost (%s)",
  { timeout: 120_000 },
  async (fault) => {
    const suffering = new Set<string>();
    let last = 1;
    for (let faultAt = 1; faultAt <= last; faultAt += 1) {
      const { operations, suffered, outcome } = await pushTwice(faultAt, fault);
      // An answer that never comes takes the whole time for giving locks back; it is done later, and told.
      const mayTell = suffered === "release" && fault !== "refused";
      const troubles = mayTell ? ["could not free the lock backup:/locks/a"] : [];
      expect(outcome).toEqual({ faultAt, troubles, most: 1, left: [] });
      suffering.add(suffered);
      last = Math.min(operations, 40);
    }
    expect([...suffering]).toEqual(expect.arrayContaining(["acquire", "holds", "release"]));
  },
);
