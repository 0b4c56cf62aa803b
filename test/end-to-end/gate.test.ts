import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { compareTrees } from "../support/compare-trees.ts";
import { type GateHost, makeGateHost } from "../support/gate-host.ts";
import { type Instance, makeInstance, reach, trust } from "../support/instance.ts";
import { locksIn } from "../support/lock-names.ts";
import { lockFile } from "../support/lock-flock.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

describe("a director whose key is restricted by a gate", () => {
  const makePusher = (host: GateHost, extra: object = {}): Promise<Instance> =>
    makeInstance(({ path }) => ({
      ssh: trust(host.sshd),
      jobs: [
        {
          id: "push",
          type: "remote",
          ...reach(host.sshd),
          hold: "required",
          lock_files: [{ type: "remote", path: host.path("locks", "data") }],
          blocks_on: [{ type: "remote", path: host.path("locks", "other") }],
          actions: [
            {
              action: "sync",
              id: "copy",
              source: path("source/"),
              dest: `${host.path("data")}/`,
              rsync: { archive: true, delete: true },
            },
          ],
          ...extra,
        },
      ],
    }));
  const makeHost = () => makeGateHost((path) => ({ write: [path("data")], locks: [path("locks")] }));

  it("locks, holds, copies and deletes, run after run", async () => {
    const host = await makeHost();
    const instance = await makePusher(host);
    await writeFile(instance.path("source", "one"), "1\n");
    await writeFile(host.path("data", "old"), "old\n");
    const director = await instance.start();
    for (let run = 0; run < 2; run += 1) {
      const since = director.lines.length;
      director.signal("SIGHUP");
      const finished = await director.waitForLine(is("run finished"), { since });
      expect(finished).toMatchObject({ outcome: "ok" });
      expect(compareTrees(instance.path("source"), host.path("data"))).toEqual([]);
      await writeFile(instance.path("source", "two"), "2\n");
    }
    expect(director.lines.filter(is("lock acquired")).length).toBeGreaterThan(0);
    expect(director.lines.filter(is("job runs unfenced"))).toEqual([]);
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(await locksIn(host.path("locks"))).toEqual([]);
  });

  it("copies with several rsyncs at a time, to where there was nothing, and what is missing there", async () => {
    const host = await makeHost();
    const instance = await makePusher(host, {
      actions: [
        {
          ...{ action: "sync", id: "copy", source: `${host.path("more")}/`, dest: `${host.path("data", "tree")}/` },
          ...{ rsync: { archive: true, delete: true }, parallel: 3 },
        },
      ],
    });
    for (const round of [1, 2]) {
      const files = Array.from({ length: 400 }, (_, file) => host.path("more", `file-${file}-${round}`));
      await Promise.all(files.map((path) => writeFile(path, "x".repeat(2000))));
      const { exitCode, stdout, stderr } = await instance.cli("run");
      expect(exitCode, stdout + stderr).toBe(0);
      expect(compareTrees(host.path("more"), host.path("data", "tree"), { mtimes: "all" })).toEqual([]);
    }
  });

  it("is turned away while another writer holds the kernel lock", async () => {
    const host = await makeHost();
    const instance = await makePusher(host);
    await writeFile(instance.path("source", "one"), "1\n");
    const writer = await lockFile(host.path("locks", "data.hold"));
    const { exitCode, stdout, stderr } = await instance.cli("run");
    expect(stdout + stderr).toMatch(/another writer/);
    expect(exitCode).toBe(1);
    await writer.letGo();
    expect(await instance.cli("run")).toMatchObject({ exitCode: 0 });
    expect(await readFile(host.path("data", "one"), "utf8")).toBe("1\n");
  });

  it("is told what is wrong where the gate allows no locks", async () => {
    const host = await makeHost();
    const lock_files = [{ type: "remote", path: host.path("more", "data") }];
    const instance = await makePusher(host, { lock_files, hold: "off" });
    const { exitCode, stdout } = await instance.cli("locks");
    expect(exitCode).toBe(75);
    expect(stdout).toContain("UNKNOWN");
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("the gate of this key allows no locks at");
    expect(await locksIn(host.path("more"))).toEqual([]);
  });

  it("has its host examined by doctor", async () => {
    const host = await makeHost();
    const instance = await makePusher(host);
    const { stdout } = await instance.cli("doctor");
    expect(stdout).toMatch(/2 hosts: 0 problems/);
    expect(stdout).toContain("round trip");
  });
});
