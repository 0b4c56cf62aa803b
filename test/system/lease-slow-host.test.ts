import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { abortReasonOf } from "../../src/base/abort.ts";
import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { LockLease } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { randomFrom } from "../support/lock-contest.ts";
import { LockHistory } from "../support/lock-history.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { gcmOnly } from "../support/ssh-packets.ts";
import { startSshProxy } from "../support/ssh-proxy.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** A tenth of the usual times. */
const timings = {
  operationMs: 3000,
  leaseTickMs: 50,
  beatRetryMs: 500,
  claimHeartbeatMs: 1000,
  stalePollMs: 200,
  shortestTtlMs: 1000,
  breakDelayMs: 0,
};
const lease: LockLease = {
  ...defaultLease,
  ...{ heartbeatMs: 1500, ttlMs: 15_000, renewDeadlineMs: 10_000, claimTtlMs: 12_000, minTtlMs: 0 },
};

it("a host that is slow and loses a fifth of what it is sent keeps its lock; one that is slower loses it in time", async () => {
  const sshd = await startSshd({ config: [gcmOnly] });
  onTestFinished(() => sshd.stop());
  const random = randomFrom(20);
  // What is lost comes again when TCP has noticed, and keeps back what was sent after it. There and back it takes 2.3 s at
  // most, which leaves a busy machine some time before an operation counts as unanswered.
  const slow = () => 250 + (random() < 0.2 ? 200 + 700 * random() : 0);
  const { proxy, endpoint } = await startSshProxy(sshd, { toServerMs: slow, toClientMs: slow });
  const path = join(await makeTempDir(), "a.lock");
  const history = new LockHistory();
  const director = async (name: string) => {
    const made = await createRealLocks(name, timings, history.record(name).wrap);
    onTestFinished(() => made.close());
    return made;
  };
  const request = { runId: "run", signal: new AbortController().signal };

  const owner = await director("owner");
  const lockFiles = [{ type: "remote", path, endpoint: endpoint({ connectTimeoutMs: 20_000 }) } as const];
  const ownersJob = buildJob({ id: "owner", lease, lockFiles });
  const claim = await owner.locks.claim({ job: ownersJob, ...request });
  if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
  const { held } = claim;
  const waiter = await director("waiter");
  const job = buildJob({ id: "waiter", lease, lockFiles: [{ type: "local", path }] });
  const waiting = waiter.locks.claim({ job, ...request });
  const broken = waiter.events.next("lock:broken");
  for (let beat = 0; beat < 6; beat += 1) await owner.events.next("lock:beat");
  expect({ lost: held.lost.aborted, broken: waiter.events.of("lock:broken") }).toEqual({ lost: false, broken: [] });

  const lost = owner.events.next("lock:lost");
  proxy.rules.toServerMs = proxy.rules.toClientMs = 5000;
  expect(await Promise.race([lost.then(() => "lost"), broken.then(() => "broken")])).toBe("lost");
  expect(abortReasonOf(held.lost).message).toMatch(/could not be confirmed for 1\d(?:\.\d)?s/);
  await broken;
  const taken = await waiting;
  if (taken.kind !== "held") throw new Error(JSON.stringify(taken));
  // What the slow way still delivers is no harm to the new owner.
  proxy.rules.toServerMs = proxy.rules.toClientMs = 0;
  await held.release();
  expect(await readFile(path, "utf8")).toContain(taken.held.taken[0]?.token);
  expect(await taken.held.release()).toEqual([]);
  expect((await execa("ls", ["-A", join(path, "..")])).stdout).not.toMatch(/^a\.lock$/m);
  expect(history.violations([ownersJob, job])).toEqual([]);
});
