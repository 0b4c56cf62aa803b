import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Block } from "../../src/config/resolved.ts";
import { buildJob } from "../support/build-job.ts";
import { allFaults, sweepFaults } from "../support/fault-contest.ts";
import { blockOn, lockContent, remoteLock } from "../support/lock-fixture.ts";
import type { OperationNote } from "../support/memory-lock-host.ts";

const [alpha, beta] = [remoteLock("alpha", "/locks/a"), remoteLock("beta", "/locks/b")];
const [gamma, mutex] = [remoteLock("gamma", "/locks/c"), remoteLock("alpha", "/locks/mutex")];
const deadToken = "dead-owner-token-0123456";
const all = () => true;
const soon = (lock: typeof alpha): Block => blockOn(lock, { waitTimeMs: 5000 });

describe.each(allFaults)("whichever operation is lost (%s)", (fault) => {
  const common = { fault, runsEach: 3, workMs: 3000, counts: all };
  const pair = [
    buildJob({ id: "one", lockFiles: [alpha], blocksOn: [soon(beta)] }),
    buildJob({ id: "two", lockFiles: [beta], blocksOn: [soon(alpha)] }),
  ];
  /** Three that list each other, each with its lock on a host of its own; two of them share one as well. */
  const ring = [
    buildJob({ id: "one", lockFiles: [alpha, mutex], blocksOn: [soon(beta), soon(gamma)] }),
    buildJob({ id: "two", lockFiles: [beta, mutex], blocksOn: [soon(alpha), soon(gamma)] }),
    buildJob({ id: "three", lockFiles: [gamma], blocksOn: [soon(alpha), soon(beta)] }),
  ];

  it("two jobs that list each other never run together, and both go on", { timeout: 120_000 }, async () => {
    const kinds = await sweepFaults({ ...common, jobs: pair, hosts: ["alpha", "beta"] });
    expect([...kinds.keys()].toSorted()).toEqual(expect.arrayContaining(["acquire", "check", "release"]));
  });

  it("nor do they when all is on one host, and look and claim are one trip", { timeout: 120_000 }, async () => {
    const second = remoteLock("alpha", "/locks/b");
    const jobs = [
      buildJob({ id: "one", lockFiles: [alpha], blocksOn: [soon(second)] }),
      buildJob({ id: "two", lockFiles: [second], blocksOn: [soon(alpha)] }),
    ];
    const kinds = await sweepFaults({ ...common, jobs, hosts: ["alpha"] });
    expect([...kinds.keys()].toSorted()).toEqual(expect.arrayContaining(["acquire", "check", "release"]));
  });

  it("nor do three on three hosts, two of which share a lock, too", { timeout: 120_000 }, async () => {
    const contest = { ...common, runsEach: 2, jobs: ring, hosts: ["alpha", "beta", "gamma"] };
    const kinds = await sweepFaults(contest);
    expect([...kinds.keys()].toSorted()).toEqual(expect.arrayContaining(["acquire", "check", "promote", "release"]));
  });

  it("nor do they when every answer is old when it comes", { timeout: 120_000 }, async () => {
    const contest = { ...common, answerDelayMs: 1500, jobs: pair, hosts: ["alpha", "beta"] };
    const kinds = await sweepFaults(contest);
    expect([...kinds.keys()].toSorted()).toEqual(expect.arrayContaining(["acquire", "check", "promote", "release"]));
  });

  it("signs of life and promotions included, nobody loses a lock", { timeout: 120_000 }, async () => {
    const counts = ({ kind }: OperationNote) => kind === "beat" || kind === "promote";
    const contest = { ...common, workMs: 70_000, counts, jobs: pair, hosts: ["alpha", "beta"] };
    const kinds = await sweepFaults(contest);
    expect(kinds.get("beat")).toBeGreaterThan(5);
    expect(kinds.get("promote")).toBeGreaterThan(0);
  });

  it("three that share a lock all get it, the trial of its directory included", { timeout: 120_000 }, async () => {
    const jobs = ["one", "two", "three"].map((id) => buildJob({ id, lockFiles: [mutex] }));
    const contest = { ...common, runsEach: 2, jobs, hosts: ["alpha"], probed: true };
    const kinds = await sweepFaults(contest);
    expect(kinds.get("probe")).toBeGreaterThanOrEqual(3);
  });

  it("three that share a lock whose owner died all get it, one at a time", { timeout: 120_000 }, async () => {
    const jobs = ["one", "two", "three"].map((id) => buildJob({ id, lockFiles: [alpha] }));
    const counts = ({ kind }: OperationNote) => kind !== "check";
    const dead = lockContent({ token: deadToken, hb: 30, ttl: 600, hold: true });
    const kinds = await sweepFaults(
      { ...common, workMs: 40_000, counts, jobs, hosts: ["alpha"], prepare: (host) => host.write("/locks/a", dead) },
      // What was broken is the dead owner's lock and never anybody else's.
      { left: [`/locks/a.broken.${deadToken}`] },
    );
    expect(kinds.get("break")).toBeGreaterThan(0);
  });

  it("three get a lock that another program forgot, where they may break it", { timeout: 120_000 }, async () => {
    const forgotten = { ...alpha, foreignStaleAfterMs: 3_600_000 };
    const jobs = ["one", "two", "three"].map((id) => buildJob({ id, lockFiles: [forgotten] }));
    const counts = ({ kind }: OperationNote) => kind !== "check";
    const content = "4242\n";
    const sha256 = createHash("sha256").update(content).digest("hex");
    const kinds = await sweepFaults(
      {
        ...common,
        ...{ jobs, counts, hosts: ["alpha"] },
        prepare: (host) => host.files.set("/locks/a", { content, mtime: -7200 }),
      },
      { left: [`/locks/a.broken.${sha256}`] },
    );
    expect([...kinds.keys()]).toEqual(expect.arrayContaining(["fingerprint", "breakForeign"]));
  });
});
