import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { DirectorProcess } from "../support/director-process.ts";
import { locksIn } from "../support/lock-names.ts";
import { type Instance, makeInstance, reach, trust } from "../support/instance.ts";
import { isAlive, parentOf, processesMentioning, waitUntil } from "../support/process-state.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

describe("the hold lock of a push", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  /** A director that pushes its own source into one destination, behind one lock that all of them share. */
  const makePusher = (shared: Instance, extra: object = {}) =>
    makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          id: "push",
          type: "remote",
          ...reach(backup),
          lock_files: [{ type: "remote", path: shared.path("locks/data") }],
          actions: [
            {
              action: "sync",
              id: "copy",
              source: path("source/"),
              dest: shared.path("dest/"),
              opts: ["-a", "--bwlimit=100"],
            },
          ],
          ...extra,
        },
      ],
    }));
  const makeShared = () =>
    makeInstance({
      jobs: [{ id: "none", type: "local", actions: [{ action: "command", id: "true", command: "/bin/true" }] }],
    });

  async function startCopying(instance: Instance, shared: Instance): Promise<DirectorProcess> {
    await writeFile(instance.path("source/big"), Buffer.alloc(30_000_000, 7));
    const director = await instance.start();
    director.signal("SIGHUP");
    const receives = async () => (await readdir(shared.path("dest"))).some((name) => name.startsWith(".big."));
    await waitUntil("the transfer is under way", receives);
    return director;
  }

  /** The processes at the other end that write for this destination; they are killed when the test is over. */
  function serversOf(shared: Instance): number[] {
    const servers = processesMentioning(shared.path("dest"))
      .filter(({ argv }) => argv[1] === "--server")
      .map(({ pid }) => pid);
    onTestFinished(() => servers.filter(isAlive).forEach((pid) => process.kill(pid, "SIGKILL")));
    return servers;
  }

  const locksOf = (shared: Instance) => locksIn(shared.path("locks"));

  it("keeps the lock until the last writer there is gone, however long it takes to die", async () => {
    const shared = await makeShared();
    const [one, two] = [await makePusher(shared), await makePusher(shared)];
    const director = await startCopying(one, shared);
    const servers = serversOf(shared);
    expect(servers.length).toBeGreaterThan(0);
    for (const pid of servers) process.kill(pid, "SIGSTOP");
    director.signal("SIGTERM");
    await director.waitForLine((line) => line.msg === "action finished");

    const other = await two.start();
    other.signal("SIGHUP");
    await other.waitForLine(is("job waits for a lock"));
    expect(await locksOf(shared)).toEqual(["data"]);
    expect(director.lines.some(is("lock released"))).toBe(false);
    expect(servers.filter(isAlive)).toEqual(servers);

    for (const pid of servers) process.kill(pid, "SIGKILL");
    expect(await director.exited).toBe(0);
    expect(await other.waitForLine(is("run finished"))).toMatchObject({ outcome: "ok" });
    other.signal("SIGTERM");
    expect(await other.exited).toBe(0);
    expect(await locksOf(shared)).toEqual([]);
  });

  it("has nobody at the destination any more when it frees the lock after a stop", async () => {
    const shared = await makeShared();
    const one = await makePusher(shared);
    for (let round = 0; round < 3; round += 1) {
      const director = await startCopying(one, shared);
      const servers = serversOf(shared);
      const released = director.waitForLine(is("lock released")).then(() => servers.filter(isAlive));
      director.signal("SIGTERM");
      expect(await released).toEqual([]);
      expect(await director.exited).toBe(0);
    }
  });

  it("refuses a second writer while the first one's other half lives on, cut off from its director", async () => {
    const shared = await makeShared();
    const [one, two] = [await makePusher(shared), await makePusher(shared)];
    const director = await startCopying(one, shared);
    const servers = serversOf(shared);
    // The sessions of sshd stand still, as if the network had swallowed everything: the server never hears of the end.
    const sessions = [...new Set(servers.map(sessionOf))];
    for (const pid of sessions) process.kill(pid, "SIGSTOP");
    onTestFinished(() => sessions.filter(isAlive).forEach((pid) => process.kill(pid, "SIGKILL")));
    director.signal("SIGKILL");
    expect(await director.exited).toBe("SIGKILL");

    // Somebody removes the lock by hand, or finds it stale by a rule that does not know of the writer.
    await rm(shared.path("locks/data"));
    await writeFile(two.path("source/small"), "small");
    const refused = await two.cli("run", "--json");
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain(`another writer still holds ${shared.path("locks/data.hold")}`);
    expect(refused.stdout).toContain("its director may have died or been cut off");
    expect(servers.filter(isAlive)).toEqual(servers);
    expect(await readdir(shared.path("dest"))).not.toContain("small");

    for (const pid of sessions) process.kill(pid, "SIGKILL");
    await waitUntil("the servers have noticed", () => servers.every((pid) => !isAlive(pid)));
    expect((await two.cli("run")).exitCode).toBe(0);
    expect(await readFile(shared.path("dest/small"), "utf8")).toBe("small");
  });

  it("keeps the lock of a dead life until its writer is gone, without delaying the start for ever", async () => {
    const shared = await makeShared();
    const one = await makePusher(shared);
    const director = await startCopying(one, shared);
    const servers = serversOf(shared);
    const sessions = [...new Set(servers.map(sessionOf))];
    for (const pid of sessions) process.kill(pid, "SIGSTOP");
    onTestFinished(() => sessions.filter(isAlive).forEach((pid) => process.kill(pid, "SIGKILL")));
    director.signal("SIGKILL");
    await director.exited;

    const next = await one.start();
    expect(await locksOf(shared)).toEqual(["data"]);
    await rm(one.path("source/big"));
    next.signal("SIGHUP");
    await next.waitForLine(is("job waits for a lock"));
    for (const pid of sessions) process.kill(pid, "SIGKILL");
    expect(await next.waitForLine(is("run finished"))).toMatchObject({ outcome: "ok" });
    expect(next.lines.some(is("lock of an earlier life is gone"))).toBe(true);
    next.signal("SIGTERM");
    expect(await next.exited).toBe(0);
  });

  it("is lost with the lock: a copy that has not begun does not begin", async () => {
    const shared = await makeShared();
    const script = `rm ${shared.path("locks/data")}`;
    const one = await makePusher(shared, {
      actions: [
        { action: "command", id: "break", command: "/bin/sh", args: ["-c", script] },
        { action: "sync", id: "copy", source: shared.path("source/"), dest: shared.path("dest/"), opts: ["-a"] },
      ],
    });
    await writeFile(shared.path("source/file"), "x");
    const run = await one.cli("run", "--json");
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain("the lock was lost before the copy began");
    expect(await readdir(shared.path("dest"))).toEqual([]);
  });

  it("is missing visibly: a job that runs unfenced says so, and one that requires it does not run", async () => {
    const shared = await makeShared();
    const elsewhere = {
      lock_files: [{ type: "local", path: shared.path("locks/local") }],
      hold_dir: shared.path("none"),
    };
    const one = await makePusher(shared, elsewhere);
    await writeFile(one.path("source/file"), "x");
    const director = await one.start();
    expect(await one.scrape()).toContain('rsyncdirector_job_fenced{job_id="push"} -1');
    director.signal("SIGHUP");
    const said = await director.waitForLine((line) => line.msg.startsWith("job runs unfenced"));
    expect(said).toMatchObject({ job: "push", reason: expect.stringContaining("its directory does not exist") });
    await director.waitForLine(is("run finished"));
    expect(await one.scrape()).toContain('rsyncdirector_job_fenced{job_id="push"} 0');
    director.signal("SIGTERM");
    await director.exited;

    const strict = await makePusher(shared, { ...elsewhere, hold: "required" });
    const run = await strict.cli("run", "--json");
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain("a hold lock is required and cannot be");
  });
});

/** The session process of sshd that a server was started by. */
function sessionOf(pid: number): number {
  for (let { pid: at, name } = parentOf(pid); ; { pid: at, name } = parentOf(at)) if (name === "sshd") return at;
}
