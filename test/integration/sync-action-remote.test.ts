import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../src/config/resolved.ts";
import type { JobDraft } from "../support/build-job.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { endless, startEndlessSync } from "../support/endless-sync.ts";
import { holdTimers } from "../support/held-timers.ts";
import { processesMentioning, waitUntil } from "../support/process-state.ts";
import { buildSync, startAction } from "../support/run-action.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import type { TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

let sshd: TestSshd;
let directory: string;
let source: string;
let dest: string;

beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

beforeEach(async () => {
  directory = await makeTempDir();
  source = join(directory, "source");
  dest = join(directory, "dest");
  await mkdir(source);
  await writeFile(join(source, "file"), "content");
});

const remote = (direction: Job["direction"]): JobDraft => ({
  type: "remote",
  direction,
  endpoint: endpointOf(sshd),
});

/** A sync that lasts until it is stopped. */
function startEndless(job: JobDraft, deps: NonNullable<Parameters<typeof startAction>[1]>["deps"] = {}) {
  const action = buildSync({ sources: [`${source}/`], dest, rsync: endless });
  return startEndlessSync({ source, dest }, () => startAction(action, { job, deps }));
}

const shortGrace = { stopGrace: { leaderMs: 300, groupMs: 300 } };
const isServer = ({ argv }: { argv: string[] }) => argv[1] === "--server";
const isLeader = ({ argv }: { argv: string[] }) => argv[0] === "rsync" && argv.includes("--stats");

describe("a sync over ssh", () => {
  it("pushes", async () => {
    const { outcome } = startAction(buildSync({ sources: [`${source}/`], dest }), { job: remote("push") });
    await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 1 } } });
    expect(await readFile(join(dest, "file"), "utf8")).toBe("content");
  });

  it("pulls several sources", async () => {
    await mkdir(join(directory, "second"));
    const action = buildSync({ sources: [source, join(directory, "second")], dest });
    await expect(startAction(action, { job: remote("pull") }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect((await readdir(dest)).toSorted()).toEqual(["second", "source"]);
  });

  it("pulls what exists on the other host only", async () => {
    const far = join(directory, "far");
    await mkdir(join(far, "only-there"), { recursive: true });
    await writeFile(join(far, "only-there", "file"), "content");
    // The other side starts in a directory of its own, as it does on another host.
    const rsyncPath = `cd ${far} && rsync`;
    const action = buildSync({ sources: ["only-there/"], dest, rsync: { archive: true, rsyncPath } });
    await expect(startAction(action, { job: remote("pull") }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await readFile(join(dest, "file"), "utf8")).toBe("content");
  });

  it("pulls by several rsyncs what lies below the home directory, as one would", async () => {
    const home = join(directory, "home");
    await mkdir(join(home, "tree"), { recursive: true });
    const names = Array.from({ length: 300 }, (_, number) => `file ${number}`).toSorted();
    for (const name of names) await writeFile(join(home, "tree", name), name);
    const log = createMemoryLog();
    const rsync = { archive: true, rsyncPath: `export HOME=${home}; rsync` };
    const action = buildSync({ sources: ["~/tree/"], dest, rsync, parallel: 2 });
    await expect(startAction(action, { job: remote("pull"), log }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(log.messages("info").filter((message) => message === "part of a sync started")).toHaveLength(2);
    expect((await readdir(dest)).toSorted()).toEqual(names);
  });

  it("fails for good when the host key is not known", async () => {
    const knownHostsFile = join(directory, "known_hosts");
    await writeFile(knownHostsFile, "");
    const job = { ...remote("push"), endpoint: endpointOf(sshd, { knownHostsFile }) };
    const { outcome } = startAction(buildSync({ sources: [source], dest }), { job });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "exit",
      retryable: false,
      message: expect.stringContaining("host key"),
    });
  });

  it("fails for good when the key is not authorised", async () => {
    const identityFile = join(sshd.directory, "host_key");
    const job = { ...remote("push"), endpoint: endpointOf(sshd, { identityFile }) };
    const { outcome } = startAction(buildSync({ sources: [source], dest }), { job });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      retryable: false,
      message: expect.stringContaining("login was refused"),
    });
  });

  it("may be tried again when nobody listens", async () => {
    const job = { ...remote("push"), endpoint: endpointOf(sshd, { port: 1 }) };
    const { outcome } = startAction(buildSync({ sources: [source], dest }), { job });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      retryable: true,
      message: expect.stringContaining("Connection refused"),
    });
  });
});

describe("stopping a sync half-way", () => {
  it.each(["local", "push", "pull"] as const)("leaves no process of a %s one, here or there", async (kind) => {
    const { outcome, stop } = await startEndless(kind === "local" ? {} : remote(kind));
    stop();
    await expect(outcome).resolves.toMatchObject({ kind: "cancelled", reason: "shutdown", report: { exitCode: 20 } });
    expect(processesMentioning(directory).filter((process) => !isServer(process))).toEqual([]);
    await waitUntil("the other side has ended", () => processesMentioning(directory).length === 0);
    expect((await readdir(dest)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("kills an rsync that is stopped and cannot react", async () => {
    const { outcome, stop } = await startEndless(remote("pull"), shortGrace);
    for (const { pid } of processesMentioning(directory).filter(isLeader)) process.kill(pid, "SIGSTOP");
    stop("timed-out");
    await expect(outcome).resolves.toMatchObject({
      kind: "cancelled",
      reason: "timed-out",
      report: { signal: "SIGKILL" },
    });
    expect(processesMentioning(directory).filter(isLeader)).toEqual([]);
  });

  it("happens by itself when the other side hangs, which is a failure that may pass", async () => {
    const { clock, end } = holdTimers(1500);
    const { outcome } = await startEndless({ ...remote("push"), stallTimeoutMs: 1500 }, { ...shortGrace, clock });
    const servers = processesMentioning(directory).filter(isServer);
    expect(servers.length).toBeGreaterThan(0);
    for (const { pid } of servers) process.kill(pid, "SIGSTOP");
    let isOver = false;
    void outcome.then(() => (isOver = true));
    // What was under way still moves at the first looks.
    await waitUntil("somebody has noticed", () => (end(), isOver));
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "process",
      retryable: true,
      message: expect.stringContaining("no bytes"),
    });
  });

  it("by somebody else's signal is a failed process", async () => {
    const { outcome } = await startEndless({});
    for (const { pid } of processesMentioning(directory).filter(isLeader)) process.kill(pid, "SIGTERM");
    await expect(outcome).resolves.toMatchObject({ kind: "failed", cause: "process", report: { exitCode: 20 } });
  });
});
