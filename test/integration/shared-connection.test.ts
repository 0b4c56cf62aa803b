import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { startFailingSshd } from "../support/failing-sshd.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { endless, startEndlessSync } from "../support/endless-sync.ts";
import { isAlive, processesMentioning, waitUntil } from "../support/process-state.ts";
import { buildSync, startAction } from "../support/run-action.ts";
import {
  loginsAt,
  openSharedConnections,
  shared,
  type SharedConnections,
  startProxyTo,
} from "../support/shared-connections.ts";
import { hostSection, programsWithSshConfig } from "../support/ssh-config.ts";
import { endpointOf, plainEndpoint } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd, type TestSshdOptions } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;

let directory: string;
let source: string;
let dest: string;
beforeEach(async () => {
  directory = await makeTempDir();
  source = join(directory, "source");
  dest = join(directory, "dest");
  await mkdir(source);
  await writeFile(join(source, "file"), "content");
});

async function startHost(options: TestSshdOptions = {}): Promise<TestSshd> {
  const sshd = await startSshd(options);
  onTestFinished(() => sshd.stop());
  return sshd;
}

/** A push to an endpoint, over connections that are shared. */
function startSync(
  { pool }: SharedConnections,
  endpoint: SshEndpoint,
  options: { rsync?: object; deps?: object } = {},
) {
  const action = buildSync({ sources: [`${source}/`], dest, rsync: { archive: true, ...options.rsync } });
  const deps = { remoteShell: pool.lend, ...options.deps };
  return startAction(action, { job: { type: "remote", direction: "push", endpoint }, deps });
}

/** A sync that lasts until it is stopped. */
function startEndless(connections: SharedConnections, endpoint: SshEndpoint, deps: object = {}) {
  return startEndlessSync({ source, dest }, () => startSync(connections, endpoint, { rsync: endless, deps }));
}

const remoteEnds = () => processesMentioning(dest).filter(({ argv }) => argv[0] === "rsync" && argv[1] === "--server");

describe("syncs over a shared connection", () => {
  it("log in once, also when they begin at the same time, and say nothing of it in what is shown", async () => {
    const sshd = await startHost();
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd));
    // An rsync fails when another one makes its destination in the same moment.
    await mkdir(dest);
    const first = [1, 2, 3].map(() => startSync(connections, endpoint));
    for (const { outcome } of first) await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    const last = startSync(connections, endpoint);
    await expect(last.outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await loginsAt(sshd)).toBe(1);
    expect(last.argv.join(" ")).not.toContain("Control");
    expect(await readFile(join(dest, "file"), "utf8")).toBe("content");
    expect(await connections.sockets()).toHaveLength(1);
    await connections.pool.close();
    expect(connections.masters()).toEqual([]);
    await expect(readdir(connections.directory)).rejects.toThrow("ENOENT");
  });

  it("do not share with another key, account or set of options, nor where the operator does not want it", async () => {
    const sshd = await startHost();
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd));
    const others = [
      endpoint,
      { ...endpoint, connectTimeoutMs: 6000 },
      { ...endpoint, options: { Compression: "no" } },
      { ...endpoint, hostKeyPolicy: "accept-new" as const },
    ];
    for (const each of others) await startSync(connections, each).outcome;
    expect(await loginsAt(sshd)).toBe(4);
    expect(await connections.sockets()).toHaveLength(4);
    for (const _ of [1, 2]) await startSync(connections, endpointOf(sshd)).outcome;
    expect(await loginsAt(sshd)).toBe(6);
    // A wrong key gets in nowhere, however many connections there are.
    const wrong = { ...endpoint, identityFile: join(sshd.directory, "host_key") };
    await expect(startSync(connections, wrong).outcome).resolves.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("login was refused"),
    });
  });

  it("go on by themselves where sshd allows no further session", async () => {
    const sshd = await startHost({ config: ["MaxSessions 1"] });
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd));
    const long = await startEndless(connections, endpoint);
    const other = startSync(connections, endpoint, { rsync: { exclude: ["big"] } });
    await expect(other.outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await loginsAt(sshd)).toBe(2);
    long.stop();
    await long.outcome;
  });

  it("are at most eight on one connection", async () => {
    const sshd = await startHost();
    const { pool } = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd));
    const lent = await Promise.all(Array.from({ length: 9 }, () => pool.lend(endpoint, never)));
    const through = lent.filter(({ shell }) => shell.join(" ").includes("ControlPath="));
    expect(through).toHaveLength(8);
    through[0]?.giveBack("well");
    through[0]?.giveBack("well");
    const again = await Promise.all([pool.lend(endpoint, never), pool.lend(endpoint, never)]);
    expect(again.filter(({ shell }) => shell.join(" ").includes("ControlPath="))).toHaveLength(1);
  });

  it("get a new one after their master was killed in the middle, which is a failure that may pass", async () => {
    const sshd = await startHost();
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd));
    const { outcome } = await startEndless(connections, endpoint);
    const [master = 0] = connections.masters();
    process.kill(master, "SIGKILL");
    await expect(outcome).resolves.toMatchObject({ kind: "failed", retryable: true });
    await waitUntil("the other side has ended", () => remoteEnds().length === 0);
    await expect(startSync(connections, endpoint, { rsync: { exclude: ["big"] } }).outcome).resolves.toMatchObject({
      kind: "ok",
    });
    expect(connections.masters()).not.toContain(master);
    expect(connections.masters()).toHaveLength(1);
  });

  it("get a new one when the host was restarted, and fail where its key has changed", async () => {
    const host = await startFailingSshd();
    onTestFinished(() => host.stop());
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(host.place));
    await expect(startSync(connections, endpoint).outcome).resolves.toMatchObject({ kind: "ok" });
    await host.goDown();
    await waitUntil("the master has ended", () => connections.masters().length === 0);
    await host.comeBack();
    await expect(startSync(connections, endpoint).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(connections.masters()).toHaveLength(1);

    await host.goDown();
    await waitUntil("the master has ended", () => connections.masters().length === 0);
    const stranger = await startHost({ port: host.place.port });
    const identityFile = stranger.identityFile;
    // Known under the key of the one that was there.
    await expect(startSync(connections, { ...endpoint, identityFile }).outcome).resolves.toMatchObject({
      kind: "failed",
      retryable: false,
      message: expect.stringContaining("host key"),
    });
    expect(connections.log.messages("warn")).toEqual(["no shared ssh connection: syncs connect by themselves"]);
    expect(await loginsAt(stranger)).toBe(0);
  });

  it("connect by themselves when the other side does not answer through it any more", async () => {
    const sshd = await startHost();
    const clock = new FakeClock();
    const connections = await openSharedConnections({ clock });
    const endpoint = shared(endpointOf(sshd));
    const first = await connections.pool.lend(endpoint, never);
    first.giveBack("well");
    const [master = 0] = connections.masters();
    // As a host does whose network is gone: nothing comes back, and nothing says so.
    process.kill(master, "SIGSTOP");
    onTestFinished(() => void (isAlive(master) && process.kill(master, "SIGKILL")));
    await clock.advance(6000);
    const lending = connections.pool.lend(endpoint, never);
    await clock.advance(5000);
    expect((await lending).shell).toEqual(first.shown);
  });

  it("give up a connection on which nothing moves, after the one who was stopped", async () => {
    const sshd = await startHost();
    const { proxy, through } = await startProxyTo(sshd);
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd, through));
    const lent = await connections.pool.lend(endpoint, never);
    expect(connections.masters()).toHaveLength(1);
    proxy.rules.fate = () => "stop-both";
    lent.giveBack("unclear");
    await waitUntil("the master was ended", () => connections.masters().length === 0);
    expect(connections.log.lines).toContainEqual({
      level: "debug",
      message: "shared ssh connection given up",
      fields: { host: sshd.host, reason: "the other side did not answer through it" },
    });
  });

  it("are proven first when nobody has used them for some seconds", async () => {
    const sshd = await startHost();
    const clock = new FakeClock();
    const { pool } = await openSharedConnections({ clock });
    const endpoint = shared(endpointOf(sshd));
    (await pool.lend(endpoint, never)).giveBack("well");
    expect(sshd.log()).not.toContain("connect_to");
    await clock.advance(6000);
    const second = await pool.lend(endpoint, never);
    expect(second.shell.join(" ")).toContain("ControlPath=");
    expect(sshd.log()).toContain("connect_to 127.0.0.1 port 1: failed");
    expect(await loginsAt(sshd)).toBe(1);
    expect(await second.roundTrip()).toBeGreaterThanOrEqual(0);
    second.giveBack("well");
  });

  it("lose it when nobody has used it for long, not while somebody does", async () => {
    const sshd = await startHost();
    const clock = new FakeClock();
    const connections = await openSharedConnections({ clock });
    const endpoint = shared(endpointOf(sshd));
    const lent = await connections.pool.lend(endpoint, never);
    await clock.advance(600_000);
    expect(connections.masters()).toHaveLength(1);
    lent.giveBack("well");
    await clock.advance(59_000);
    expect(connections.masters()).toHaveLength(1);
    await clock.advance(1000);
    await waitUntil("the master has ended", () => connections.masters().length === 0);
    await waitUntil("its socket is gone", async () => (await connections.sockets()).length === 0);
  });

  it("go through a jump host, also when they are proven", async () => {
    const [gate, target] = await Promise.all([startHost(), startHost()]);
    const programs = await programsWithSshConfig(hostSection("gate", gate) + hostSection("target", target));
    const clock = new FakeClock();
    const { pool } = await openSharedConnections({ programs, clock });
    const endpoint = shared({ ...plainEndpoint, host: "target", connectTimeoutMs: 5000, jumpHost: "gate" });
    for (const _ of [1, 2]) {
      const lent = await pool.lend(endpoint, never);
      expect(lent.shell.join(" ")).toContain("ControlPath=");
      lent.giveBack("well");
      await clock.advance(6000);
    }
    expect([await loginsAt(gate), await loginsAt(target)]).toEqual([1, 1]);
    expect(target.log()).toContain("connect_to 127.0.0.1 port 1: failed");
  });

  it("work from a directory with a blank and a percent sign in its name", async () => {
    const sshd = await startHost();
    const connections = await openSharedConnections({ directory: join(directory, "a %h b") });
    for (const _ of [1, 2]) await startSync(connections, shared(endpointOf(sshd))).outcome;
    expect(await loginsAt(sshd)).toBe(1);
  });
});

describe("stopping a sync over a shared connection", () => {
  it("ends its other side and nobody else's", async () => {
    const sshd = await startHost();
    const connections = await openSharedConnections();
    const endpoint = shared(endpointOf(sshd));
    const { outcome, stop } = await startEndless(connections, endpoint);
    const bystander = await connections.pool.lend(endpoint, never);
    const [file = "", ...args] = bystander.shell;
    const other = execa(file, [...args, sshd.host, "cat"], { reject: false });
    expect(remoteEnds().length).toBeGreaterThan(0);
    stop();
    await expect(outcome).resolves.toMatchObject({ kind: "cancelled", report: { exitCode: 20 } });
    await waitUntil("the other side has ended", () => remoteEnds().length === 0);
    expect(connections.masters()).toHaveLength(1);
    other.stdin.end("still here");
    expect((await other).stdout).toBe("still here");
    bystander.giveBack("well");
  });

  it("leaves no other side behind when the client could not say goodbye", async () => {
    const sshd = await startHost();
    const connections = await openSharedConnections();
    const deps = { stopGrace: { leaderMs: 0, groupMs: 0 } };
    const { outcome, stop } = await startEndless(connections, shared(endpointOf(sshd)), deps);
    stop("timed-out");
    await expect(outcome).resolves.toMatchObject({ kind: "cancelled" });
    await waitUntil("the other side has ended", () => remoteEnds().length === 0);
    expect(connections.masters()).toHaveLength(1);
  });
});
