import { readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeInstance, reach, trust } from "../support/instance.ts";
import { isAlive, processesMentioning, waitUntil } from "../support/process-state.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

interface ShownLock {
  state: string;
  owner: { rsyncId: string; pid: number; ours: boolean };
  ownerIsDead: boolean;
  job: string;
  token: string;
  writer: { state: string };
  uses: { job: string; role: string }[];
  broken: { name: string }[];
}

describe("locks and locks break beside a director", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  it("name its lock, leave it alone while a writer lives, and break it when its owner is dead", async () => {
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      logging: [
        { type: "stdout", level: "debug", format: "json" },
        { type: "file", path: path("director.log"), level: "info", format: "logfmt" },
      ],
      jobs: [
        {
          ...{ id: "push", type: "remote", ...reach(backup) },
          lock_files: [{ type: "remote", path: path("locks/data") }],
          actions: [
            { action: "sync", id: "s", source: path("source/"), dest: path("dest/"), opts: ["-a", "--bwlimit=100"] },
          ],
        },
        {
          ...{ id: "later", type: "remote", enabled: false, ...reach(backup) },
          blocks_on: [{ type: "remote", path: path("locks/data") }],
          actions: [{ action: "command", id: "c", command: "true" }],
        },
      ],
    }));
    const name = `127.0.0.1:${instance.path("locks/data")}`;
    const look = async () => {
      const { exitCode, stdout } = await instance.cli("locks", "--json");
      return { exitCode, lock: (JSON.parse(stdout) as { locks: ShownLock[] }).locks[0] as ShownLock };
    };
    const breakIt = (token: string) => instance.cli("locks", "break", name, "--yes", "--token", token);

    await writeFile(instance.path("source/big"), Buffer.alloc(30_000_000, 7));
    const director = await instance.start();
    director.signal("SIGHUP");
    const receives = async () => (await readdir(instance.path("dest"))).some((file) => file.startsWith(".big."));
    await waitUntil("the transfer is under way", receives);
    const { exitCode, lock } = await look();
    expect(exitCode).toBe(0);
    expect(lock).toMatchObject({
      ...{ state: "held", job: "push", ownerIsDead: false, writer: { state: "alive" }, broken: [] },
      owner: { rsyncId: "test", pid: director.pid, ours: true },
      uses: [
        { job: "push", role: "takes" },
        { job: "later", role: "waits" },
      ],
    });
    const refused = await breakIt(lock.token);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("a writer is alive at its destination: nothing was done");

    // The other half lives on while its director is gone: a lock file alone would not tell.
    const servers = processesMentioning(instance.path("dest"))
      .filter(({ argv }) => argv[1] === "--server")
      .map(({ pid }) => pid);
    onTestFinished(() => servers.filter(isAlive).forEach((pid) => process.kill(pid, "SIGKILL")));
    for (const pid of servers) process.kill(pid, "SIGSTOP");
    director.signal("SIGKILL");
    await director.exited;
    expect((await look()).lock.writer.state).toBe("alive");
    expect((await breakIt(lock.token)).exitCode).toBe(1);
    expect(await readdir(instance.path("locks"))).toContain("data");

    for (const pid of servers) process.kill(pid, "SIGKILL");
    await waitUntil("the kernel has freed the hold lock", async () => (await look()).lock.writer.state === "none");
    const other = await breakIt("A".repeat(22));
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("not the one of that --token")]);
    await waitUntil("its owner is seen to be dead", async () => (await look()).lock.ownerIsDead);
    const broken = await breakIt(lock.token);
    expect([broken.exitCode, broken.stderr]).toEqual([0, ""]);
    const evidence = `${instance.path("locks/data")}.broken.${lock.token}`;
    expect(broken.stdout).toContain(`broken; kept as ${evidence}`);
    expect(await readFile(evidence, "utf8")).toContain(lock.token);

    const after = await look();
    expect(after.lock).toMatchObject({ state: "free", broken: [{ name: evidence }] });
    const { stdout: history } = await instance.cli("history", "--locks", "--json");
    const rows = JSON.parse(history) as { kind: string; owner: string; detail: string; token: string }[];
    expect(rows.at(-1)).toMatchObject({ kind: "forced", token: lock.token });
    expect(rows.at(-1)?.owner).toContain("job push of test");
    expect(rows.at(-1)?.detail).toContain("rsyncdirector locks break");
    expect(await readFile(instance.path("director.log"), "utf8")).toMatch(/level=warn .*a lock was broken by a person/);
    expect((await breakIt(lock.token)).stdout).toContain("it is free, there is nothing to break");
  });
});
