import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ConfigDraft, type Instance, makeInstance, reach } from "../support/instance.ts";
import { locksIn } from "../support/lock-names.ts";
import { isAlive, processesMentioning, waitUntil } from "../support/process-state.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;
const names = ["one", "two", "three"] as const;

describe("a job that pushes to three hosts", () => {
  let hosts: TestSshd[];
  beforeAll(async () => void (hosts = await Promise.all(names.map(() => startSshd()))));
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));

  /** Each host gets the source in a directory of its own, which is called like the target. */
  const makePusher = async (
    job: (path: Instance["path"]) => ConfigDraft,
    targets: Record<string, ConfigDraft> = {},
  ) => {
    const instance = await makeInstance(({ path }) => ({
      ssh: { known_hosts_file: path("known_hosts"), connect_timeout: 30 },
      jobs: [
        {
          id: "push",
          type: "remote",
          targets: names.map((id, index) => ({
            ...reach(hosts[index]!),
            id,
            dest: path("dest", id) + "/",
            ...targets[id],
          })),
          actions: [{ action: "sync", id: "copy", source: path("source/"), dest: "/nowhere/", opts: ["-a"] }],
          ...job(path),
        },
      ],
    }));
    const known = await Promise.all(hosts.map((host) => readFile(host.knownHostsFile, "utf8")));
    await writeFile(instance.path("known_hosts"), known.join(""));
    for (const id of names) await mkdir(instance.path("dest", id));
    await writeFile(instance.path("source/file"), "content");
    return instance;
  };
  const arrived = (instance: Instance, id: string) =>
    readFile(instance.path("dest", id, "file"), "utf8").catch(() => undefined);
  /** Nobody listens there. A port that was in use before may be given to another test at any moment. */
  const deadPort = 1;

  it("brings it to all of them, and tells what became of each", async () => {
    const instance = await makePusher(() => ({}));
    const { exitCode, stdout } = await instance.cli("run", "push");
    expect({ exitCode, arrived: await Promise.all(names.map((id) => arrived(instance, id))) }).toEqual({
      exitCode: 0,
      arrived: ["content", "content", "content"],
    });
    for (const id of names) expect(stdout).toMatch(new RegExp(`copy to ${id}: ok, 1 files`));
    const history = await instance.cli("history", "last");
    for (const id of names) expect(history.stdout).toContain(`  copy to ${id}: ok\n`);
  });

  it("brings it to the others when one is down, names that one, and keeps no lock for it", async () => {
    const port = deadPort;
    const instance = await makePusher(
      (path) => ({
        lock_files: [{ type: "remote", ...reach(hosts[0]!), path: path("locks/push") }],
        hold_dir: path("locks"),
      }),
      { two: { port } },
    );
    const known = await readFile(instance.path("known_hosts"), "utf8");
    await writeFile(instance.path("known_hosts"), `${known}${known.replace(/^\S+/, `[127.0.0.1]:${port}`)}`);
    const { exitCode, stdout } = await instance.cli("run", "push");
    expect(exitCode).toBe(1);
    expect(await Promise.all(names.map((id) => arrived(instance, id)))).toEqual(["content", undefined, "content"]);
    expect(stdout).toMatch(/FAILED: copy: two: rsync ended with (255|12): .*; 2 of 3 targets succeeded/);
    expect(stdout).not.toContain("could not free");
    expect(await locksIn(instance.path("locks"))).toEqual([]);
  });

  it("does not let the others wait for one that is slow", async () => {
    const instance = await makePusher(() => ({}), { two: { bwlimit: 200 } });
    await writeFile(instance.path("source/big"), Buffer.alloc(20_000_000, 7));
    const director = await instance.start();
    director.signal("SIGHUP");
    const ended = (target: string) =>
      director.waitForLine((line) => line.msg === "target finished" && line["target"] === target);
    expect(await Promise.all([ended("one"), ended("three")])).toMatchObject([{ outcome: "ok" }, { outcome: "ok" }]);
    const metrics = await instance.scrape();
    const success = (target: string) =>
      Number(
        new RegExp(`^rsyncdirector_last_success_timestamp_seconds{job_id="push",target="${target}"} (\\S+)$`, "m").exec(
          metrics,
        )?.[1],
      );
    expect(success("one")).toBeGreaterThan(0);
    expect([success("two"), success("")]).toEqual([0, 0]);
    expect(metrics).toContain('rsyncdirector_target_last_status{job_id="push",target="two"} -1\n');
    director.signal("SIGTERM");
    expect(await ended("two")).toMatchObject({ outcome: "cancelled" });
    expect(await director.exited).toBe(0);

    const again = await instance.start();
    const restored = await instance.scrape();
    expect(restored).toContain('rsyncdirector_target_last_status{job_id="push",target="one"} 0\n');
    expect(restored).toContain('rsyncdirector_target_last_status{job_id="push",target="two"} 3\n');
    again.signal("SIGTERM");
    expect(await again.exited).toBe(0);
  });

  it("gives a dead director's lock back only when nobody writes at any target any more", async () => {
    const two = [0, 1].map((index) => hosts[index]!);
    const instance = await makePusher((path) => ({
      targets: two.map((host, index) => {
        return { ...reach(host), id: names[index], dest: `${path("dest", names[index]!)}/`, bwlimit: 200 };
      }),
      lock_files: [{ type: "remote", ...reach(two[0]!), path: path("locks/push") }],
      hold_dir: path("locks"),
      hold: "required",
    }));
    await writeFile(instance.path("source/big"), Buffer.alloc(20_000_000, 7));
    const director = await instance.start();
    director.signal("SIGHUP");
    const serversOf = (id: string) =>
      processesMentioning(instance.path("dest", id))
        .filter(({ argv }) => argv[1] === "--server")
        .map(({ pid }) => pid);
    await waitUntil("both transfers are under way", () => serversOf("one").length > 0 && serversOf("two").length > 0);
    const stopped = serversOf("two");
    onTestFinished(() => stopped.filter(isAlive).forEach((pid) => process.kill(pid, "SIGKILL")));
    for (const pid of stopped) process.kill(pid, "SIGSTOP");
    director.signal("SIGKILL");
    await director.exited;

    const again = await instance.start();
    await waitUntil("the writer at the first target is gone", () => serversOf("one").length === 0);
    expect(await locksIn(instance.path("locks"))).toEqual(["push"]);
    expect(again.lines.some(is("lock of an earlier life is gone"))).toBe(false);
    for (const pid of stopped) process.kill(pid, "SIGKILL");
    await again.waitForLine(is("lock of an earlier life is gone"));
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    again.signal("SIGTERM");
    expect(await again.exited).toBe(0);
  });
});
