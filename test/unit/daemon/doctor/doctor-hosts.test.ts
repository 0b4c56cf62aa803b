import { describe, expect, it } from "vitest";
import { hostsOfConfig } from "../../../../src/daemon/doctor/doctor-hosts.ts";
import type { Config, Job } from "../../../../src/config/resolved.ts";
import { buildJob, buildTarget, type JobDraft } from "../../../support/build-job.ts";
import { blockOn, remoteLock } from "../../../support/lock-fixture.ts";
import { plainEndpoint } from "../../../support/ssh-endpoint.ts";

const sync: Job["actions"][number] = {
  kind: "sync",
  id: "s",
  sources: ["/a"],
  dest: "/b",
  opts: [],
  rsync: {},
  extensions: [],
  parallel: 1,
};

describe("the hosts of a configuration", () => {
  const hostsOf = (...jobs: JobDraft[]) =>
    hostsOfConfig({ jobs: jobs.map((job, index) => buildJob({ id: `job${index}`, ...job })) } as unknown as Config);

  it("are this one and those of jobs, locks and blocks, each once", () => {
    const lock = remoteLock("locks", "/run/x/a");
    const hosts = hostsOf(
      { type: "remote", endpoint: plainEndpoint, actions: [sync], lockFiles: [lock], blocksOn: [] },
      { type: "remote", endpoint: plainEndpoint, actions: [sync], lockFiles: [], blocksOn: [blockOn(lock)] },
    );
    expect(hosts.map(({ endpoint }) => endpoint?.host ?? null)).toEqual([null, "backup01", "locks"]);
    expect(hosts[1]).toMatchObject({ destinations: ["/b"], needsRsync: true, jobs: ["job0", "job1"] });
    expect(hosts[2]).toMatchObject({
      lockDirectories: [{ path: "/run/x", claims: true, third: true }],
      needsRsync: false,
      jobs: ["job0", "job1"],
    });
  });

  it("are written to on the side that receives", () => {
    const [here, there] = hostsOf({ type: "remote", direction: "pull", endpoint: plainEndpoint, actions: [sync] });
    expect(here?.destinations).toEqual(["/b"]);
    expect(there?.destinations).toEqual([]);
  });

  it("are third ones only when neither this one nor the one that is written", () => {
    const lock = { type: "remote", endpoint: plainEndpoint, path: "/run/x/a" } as const;
    const job = { type: "remote", endpoint: plainEndpoint, actions: [sync], lockFiles: [lock] } as const;
    const thirdOf = (...jobs: JobDraft[]) =>
      hostsOf(...jobs)
        .at(-1)
        ?.lockDirectories.map(({ third }) => third);
    expect(thirdOf(job)).toEqual([undefined]);
    expect(thirdOf({ ...job, direction: "pull" })).toEqual([true]);
    expect(thirdOf({ ...job, actions: [] })).toEqual([undefined]);
  });

  it("are those of every target, each with the destination that it has", () => {
    const far = buildTarget({ ...plainEndpoint, host: "far" }, { dest: "/c" });
    const lockFiles = [{ type: "remote", endpoint: plainEndpoint, path: "/run/x/a" }] as const;
    const [, near, other] = hostsOf({
      ...{ type: "remote", actions: [sync], lockFiles, targets: [buildTarget(plainEndpoint), far] },
    });
    expect(near).toMatchObject({ endpoint: { host: "backup01" }, destinations: ["/b"], needsRsync: true });
    expect(other).toMatchObject({ endpoint: { host: "far" }, destinations: ["/c"], needsRsync: true });
    // The lock of the one is a third host's for the other, which needs its hold file in a directory of its own.
    expect(near).toMatchObject({ lockDirectories: [{ third: true }], holdDirectories: [] });
    expect(other).toMatchObject({ holdDirectories: [{ path: "/run/rsyncdirector-locks" }] });
  });

  it("need a directory for hold files where a job writes whose locks lie elsewhere", () => {
    const local = { type: "local", path: "/run/x/a" } as const;
    const job = { type: "remote", endpoint: plainEndpoint, actions: [sync], lockFiles: [local] } as const;
    const holdsOf = (...jobs: JobDraft[]) => hostsOf(...jobs).map(({ holdDirectories }) => holdDirectories);
    const path = "/run/rsyncdirector-locks";
    expect(holdsOf(job)).toEqual([[], [{ path, required: false }]]);
    expect(holdsOf({ ...job, hold: "required" }, job)).toEqual([[], [{ path, required: true }]]);
    expect(holdsOf({ ...job, hold: "off" })).toEqual([[], []]);
    expect(holdsOf({ ...job, actions: [] })).toEqual([[], []]);
    expect(holdsOf({ ...job, direction: "pull" })).toEqual([[], []]);
    const there = { type: "remote", endpoint: plainEndpoint, path: "/run/x/a" } as const;
    expect(holdsOf({ ...job, lockFiles: [there] })).toEqual([[], []]);
    expect(holdsOf({ ...job, lockFiles: [there], direction: "pull" })).toEqual([[{ path, required: false }], []]);
  });

  it("are only looked at where none but others' locks lie", () => {
    const [here] = hostsOf({ blocksOn: [blockOn({ type: "local", path: "/run/theirs/a" })], lockFiles: [] });
    expect(here?.lockDirectories).toEqual([{ path: "/run/theirs", claims: false, allows: undefined }]);
  });
});
