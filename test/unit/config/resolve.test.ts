import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveEndpoint } from "../../../src/config/resolve-endpoint.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/resolved.ts";
import { copyFixtures, fixtureEnv } from "../../support/config-fixtures.ts";

async function load(kind: string, name: string): Promise<Config> {
  const { config } = await loadConfig(join(await copyFixtures(kind), name), { env: fixtureEnv });
  return config;
}

describe("resolveConfig", () => {
  test("fills in the defaults", async () => {
    const { jobs, ...config } = await load("valid", "minimal.yaml");
    expect({ ...config, file: "" }).toEqual({
      file: "",
      notify: [],
      rsyncId: "x",
      schedules: [],
      scheduling: {
        timezone: undefined,
        cronDialect: "linux",
        dialectChosen: false,
        jitterMs: 0,
        onMissed: "skip",
        startingDeadlineMs: undefined,
      },
      pidFileDir: undefined,
      stateDir: undefined,
      inhibitSleep: true,
      metrics: {
        addr: "0.0.0.0",
        port: 9090,
        startupTimeoutMs: 10_000,
        startupRetryWaitMs: 2000,
        startupRetryLimit: 3,
      },
      logging: [{ type: "stdout", level: "info", format: "auto" }],
      history: { keepRuns: 1000, keepMs: 90 * 86_400_000 },
      lockOperationTimeoutMs: 20_000,
    });
    expect(jobs[0]).toMatchObject({
      lease: {
        heartbeatMs: 30_000,
        ttlMs: 600_000,
        renewDeadlineMs: 480_000,
        claimTtlMs: 120_000,
        minTtlMs: 60_000,
        settleMs: 15_000,
        breakStale: true,
        onUnreachable: "abort",
      },
      enabled: true,
      direction: "push",
      targets: [{ id: "local", endpoint: undefined, dest: undefined, bwlimit: undefined }],
      hold: "auto",
      holdDir: "/run/rsyncdirector-locks",
      concurrency: "queue",
      timeoutMs: undefined,
      retry: { limit: 0, delayMs: 30_000, maxDelayMs: 600_000, backoff: 2, exitCodes: undefined },
      allowUnsafeOpts: false,
    });
  });

  test("reads durations, ports, lists and options in each of their forms", async () => {
    const config = await load("valid", "everything.yaml");
    expect(config.metrics).toEqual({
      addr: "::1",
      port: 9101,
      startupTimeoutMs: 5000,
      startupRetryWaitMs: 1500,
      startupRetryLimit: 2,
    });
    expect(config.web).toEqual({
      addr: "0.0.0.0",
      port: 8443,
      tokenFile: "/home/tester/token",
      webConfigFile: "/etc/rsyncdirector/web.yml",
      allowedHosts: ["backup.example.org", "nas:443", "[2001:db8::1]"],
      allowActions: false,
    });
    expect(config.history).toEqual({ keepRuns: 10, keepMs: 7 * 86_400_000 });
    expect(config.stateDir).toBe("/home/tester/state");
    const [push, pull] = config.jobs;
    expect(push?.warnAfterMs).toBe(9_000_000);
    expect(push?.scheduling).toMatchObject({
      timezone: "UTC",
      jitterMs: 0,
      onMissed: "once",
      startingDeadlineMs: 21_600_000,
    });
    expect(push?.exitCodes).toEqual(
      new Map([
        [24, "ok"],
        [23, "retry"],
      ]),
    );
    expect(push?.actions[0]).toEqual({
      kind: "sync",
      extensions: [],
      parallel: 1,
      id: "data",
      sources: ["/a", "/b c"],
      dest: "relative",
      opts: ["-av", "--delete", "--exclude", ".cache", "-e", "ssh", "--filter", "- *.exe", "-f", "- x"],
      rsync: {
        archive: true,
        delete: "delay",
        bwlimit: "100",
        timeoutSeconds: 90,
        modifyWindow: -1,
        exclude: ["*.tmp"],
        include: ["a", "b"],
        linkDest: ["../old"],
        excludeFrom: "/home/tester/exclude",
        partialDir: ".partial",
        rsyncPath: "/opt/rsync",
      },
    });
    expect(push?.actions.slice(1)).toEqual([
      { kind: "command", id: "plain", argv: ["/bin/echo", "a b", "", "c d"], shell: false, cwd: "/home/tester/work" },
      { kind: "command", id: "script", argv: ["ls | wc -l; echo ${HOME} $HOME"], shell: true, cwd: undefined },
    ]);
    expect(pull?.targets[0]?.endpoint).toMatchObject({ host: "fe80::1", user: "somebody", port: 2200 });
  });

  test("combines defaults with what a job says", async () => {
    const { jobs } = await load("valid", "everything.yaml");
    expect(jobs[0]?.retry).toEqual({ limit: 5, delayMs: 5000, maxDelayMs: 600_000, backoff: 3, exitCodes: undefined });
    expect(jobs[0]?.targets[0]?.endpoint).toEqual({
      host: "nas",
      user: "backup",
      port: 22,
      identityFile: "/home/tester/.ssh/id",
      knownHostsFile: "/etc/ssh/known",
      hostKeyPolicy: "strict",
      connectTimeoutMs: 7000,
      jumpHost: "admin@gate:2222,[fe80::1%eth0]",
      transport: "openssh",
      options: { ServerAliveInterval: "15", Compression: "yes", ForwardAgent: "no" },
      shareIdleMs: 90_000,
    });
    expect(jobs.map((job) => job.timeoutMs)).toEqual([3_600_000, 3_600_000]);
  });

  test.each([
    ["by default", {}, 60_000],
    ["when asked", { share: true, share_idle: "2m" }, 120_000],
    ["not when told not to", { share: false, share_idle: "2m" }, undefined],
    ["not beside multiplexing of the operator's own", { options: { controlpath: "/run/%C" } }, undefined],
  ])("shares connections %s", (_, ssh, expected) => {
    expect(resolveEndpoint("nas", {}, { ssh, home: "/root" }).shareIdleMs).toBe(expected);
  });

  test("lets a lock on the job's host inherit from the job, and a lock elsewhere from ssh only", async () => {
    const { jobs } = await load("valid", "everything.yaml");
    const reached = jobs[0]?.lockFiles.map((lock) =>
      lock.type === "local"
        ? lock.path
        : `${lock.endpoint.user}@${lock.endpoint.host}:${lock.endpoint.port}${lock.path}`,
    );
    expect(reached).toEqual([
      "/run/rd/push",
      "backup@nas:22/run/rd/push",
      "backup@other:2222/run/rd/push",
      "root@nas:22/run/rd/root",
    ]);
  });

  test("lays the lock block of a job over that of defaults, and both over the top", async () => {
    const { jobs, lockOperationTimeoutMs } = await load("valid", "everything.yaml");
    expect(lockOperationTimeoutMs).toBe(10_000);
    const shared = { ttlMs: 1_200_000, settleMs: 20_000, minTtlMs: 300_000 };
    expect(jobs[0]?.lease).toEqual({
      ...shared,
      heartbeatMs: 60_000,
      renewDeadlineMs: 600_000,
      claimTtlMs: 180_000,
      breakStale: false,
      onUnreachable: "continue",
    });
    // 80 % of the ttl, unless it is given.
    expect(jobs[1]?.lease).toMatchObject({ ...shared, heartbeatMs: 15_000, renewDeadlineMs: 960_000 });
    expect(jobs[0]?.blocksOn[0]?.lock).toMatchObject({ peer: "legacy", foreignStaleAfterMs: 86_400_000 });
  });

  test("reads blocks", async () => {
    const { jobs } = await load("valid", "everything.yaml");
    expect(jobs[0]?.blocksOn).toEqual([
      { lock: expect.objectContaining({ type: "remote" }), waitTimeMs: 300_000, timeoutMs: 0, onTimeout: "fail" },
      { lock: { type: "local", path: "/run/rd/block" }, waitTimeMs: 60_000, timeoutMs: undefined, onTimeout: "skip" },
    ]);
  });

  test("appends the jobs of included files, and lets the main file's defaults count", async () => {
    const { jobs } = await load("valid", "with-include.yaml");
    expect(jobs.map((job) => job.id)).toEqual(["from-a", "from-c", "from-b"]);
    expect(jobs[0]).toMatchObject({ warnAfterMs: 3_600_000, timeoutMs: 10_800_000 });
  });

  test("reads a file of the Python program, in either layout", async () => {
    const { jobs, metrics, pidFileDir } = await load("legacy", "original-actions.yaml");
    expect({ metrics, pidFileDir }).toMatchObject({ metrics: { port: 9191 }, pidFileDir: undefined });
    expect(jobs[0]?.actions[0]).toMatchObject({
      opts: ["-av", "--delete", "--exclude", "raw files", "--exclude", "*.tmp"],
    });
    expect(jobs[1]?.targets[0]?.endpoint).toMatchObject({ port: 2022, identityFile: "/home/ann/.ssh/store" });
    expect(jobs[1]?.lockFiles[1]).toMatchObject({ endpoint: { port: 2022, identityFile: "/home/ann/.ssh/store" } });
    expect(jobs[1]?.blocksOn[0]).toMatchObject({
      waitTimeMs: 120_000,
      timeoutMs: 1_800_000,
      lock: { endpoint: { user: "root", port: undefined } },
    });
    expect(jobs[1]?.actions.slice(1)).toMatchObject([
      { argv: ["/home/ann/bin/notify.sh", "--text", "photos are safe"] },
      { argv: ["sync"] },
    ]);

    const older = await load("legacy", "original-syncs.yaml");
    expect(older.jobs[0]?.targets[0]?.endpoint).toMatchObject({
      user: "root",
      host: "vault",
      identityFile: "/root/.ssh/vault",
    });
    expect(older.jobs[0]?.actions).toMatchObject([
      { kind: "sync", id: "sync-1", sources: ["/home"], dest: "/vault/home", opts: ["-a", "--numeric-ids"] },
      { kind: "sync", id: "sync-2", sources: ["/etc"], dest: "/vault/etc", opts: ["-a"] },
    ]);
  });
});
