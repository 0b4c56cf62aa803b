import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { LockLease } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import type { EventLog } from "../support/event-log.ts";
import { createHostClock, removeLeftClocks, whyNoHostClock } from "../support/host-clock.ts";
import { LockHistory } from "../support/lock-history.ts";
import { createRealLocks } from "../support/real-locks.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const hour = 3600;
const tenYears = 315_576_000;
const jumps = [
  [0, hour],
  [0, -hour],
  [0, tenYears],
  [0, -tenYears],
  [tenYears, 0],
] as const;

/** Lives in seconds instead of minutes. */
const quick = {
  leaseTickMs: 50,
  beatRetryMs: 100,
  stalePollMs: 100,
  staleGapMs: 3000,
  shortestTtlMs: 1000,
  breakDelayMs: 0,
};
const lease: LockLease = {
  ...defaultLease,
  ...{ heartbeatMs: 200, ttlMs: 5000, renewDeadlineMs: 4000, claimTtlMs: 3000, minTtlMs: 0 },
};

/** An sshd whose shells have a clock of their own, and how to set it: seconds before or after the true time. */
async function startHost(env: readonly string[]) {
  const clock = await createHostClock(await makeTempDir());
  const sshd = await startSshd({ config: [`SetEnv ${[...clock.words, ...env].join(" ")}`] });
  onTestFinished(async () => {
    await sshd.stop();
    await removeLeftClocks();
  });
  return { endpoint: endpointOf(sshd), setClock: clock.set };
}

async function director(name: string, history: LockHistory) {
  const { wrap, ended } = history.record(name);
  const made = await createRealLocks(name, quick, wrap);
  onTestFinished(() => made.close());
  return { ...made, ended };
}

/** Rejects as soon as the lock is lost. */
async function beats(events: EventLog, count: number, lost: AbortSignal): Promise<void> {
  const isLost = once(lost, "abort").then(() => Promise.reject(new Error("the living owner has lost its lock")));
  isLost.catch(() => undefined);
  for (let beat = 0; beat < count; beat += 1) await Promise.race([events.next("lock:beat"), isLost]);
}

/** A lock is held, and waited for, while its host's clock is set; then its owner falls silent. */
async function liveThroughJump([from, to]: readonly [number, number], env: readonly string[]) {
  const host = await startHost(env);
  await host.setClock(from);
  const path = join(await makeTempDir(), "a.lock");
  const jobOf = (id: string) =>
    buildJob({ id, lease, lockFiles: [{ type: "remote", path, endpoint: host.endpoint }], blocksOn: [] });
  const request = { runId: "run", signal: new AbortController().signal };
  const jobs = [jobOf("owner"), jobOf("waiter")] as const;
  const history = new LockHistory();
  const owner = await director("owner", history);
  const claim = await owner.locks.claim({ job: jobs[0], ...request });
  if (claim.kind !== "held") throw new Error(JSON.stringify(claim));
  const waiter = await director("waiter", history);
  const blocked = waiter.events.next("job:blocked");
  const waiting = waiter.locks.claim({ job: jobs[1], ...request });
  await blocked;
  await host.setClock(to);
  // Longer than the whole time that a silent lock is watched.
  await beats(owner.events, 35, claim.held.lost);
  expect({ to, broken: waiter.events.of("lock:broken"), lost: claim.held.lost.aborted }).toEqual({
    to,
    broken: [],
    lost: false,
  });
  await owner.close();
  owner.ended();
  const taken = await waiting;
  expect({ to, kind: taken.kind }).toEqual({ to, kind: "held" });
  const token = claim.held.taken[0]?.token ?? "";
  expect(waiter.events.of("lock:broken")).toMatchObject([{ token }]);
  if (taken.kind !== "held") return;
  expect(await readFile(path, "utf8")).toContain(taken.held.taken[0]?.token);
  expect(await taken.held.release()).toEqual([]);
  expect({ to, violations: history.violations(jobs) }).toEqual({ to, violations: [] });
}

describe("a lock host whose clock is set by an hour or ten years while a lock is held and watched", () => {
  it.for([
    ["the times of its files are set with it", []],
    // As on a server of files whose clock is another one: ages are wrong for good.
    ["the times of its files stay behind", ["NO_FAKE_STAT=1"]],
  ] as const)("breaks no living owner's lock, and a dead one's in the end: %s", async ([, env], context) => {
    if (whyNoHostClock !== undefined) return context.skip(whyNoHostClock);
    await expect(Promise.all(jumps.map((jump) => liveThroughJump(jump, env)))).resolves.toHaveLength(jumps.length);
  });
});
