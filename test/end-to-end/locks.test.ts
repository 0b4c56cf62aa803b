import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { RunResult } from "../../src/model/run.ts";
import { builtProgram } from "../support/director-process.ts";
import { makeInstance, reach, trust } from "../support/instance.ts";
import { locksIn } from "../support/lock-names.ts";
import { freePort, startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

describe("locks of the built program", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  it("waits for a local and a remote lock file, holding nothing, and runs when both are gone", async () => {
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          id: "push",
          type: "remote",
          ...reach(backup),
          lock_files: [{ type: "remote", path: path("locks/own") }],
          blocks_on: [
            { type: "local", path: path("locks/local"), wait_time: 0.2 },
            { type: "remote", path: path("locks/remote"), wait_time: 0.2 },
          ],
          actions: [{ action: "command", id: "look", command: "/bin/ls", args: [path("locks")] }],
        },
      ],
    }));
    await writeFile(instance.path("locks/local"), "4242\n");
    await writeFile(instance.path("locks/remote"), "4343\n");
    const director = await instance.start();
    director.signal("SIGHUP");
    const waits = await director.waitForLine(is("job waits for a lock"));
    expect(waits).toMatchObject({ job: "push" });
    expect(await locksIn(instance.path("locks"))).toEqual(["local", "remote"]);
    await rm(instance.path("locks/local"));
    const since = director.lines.length;
    await director.waitForLine((line) => is("job waits for a lock")(line) && JSON.stringify(line).includes("4343"), {
      since,
    });
    expect(director.lines.some(is("action started"))).toBe(false);
    await rm(instance.path("locks/remote"));
    await director.waitForLine(is("run finished"));
    const listed = director.lines.filter(is("action output")).map((line) => line.line);
    expect(listed).toContain("own");
    expect(listed).not.toContain("local");
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    const scrape = await instance.scrape();
    expect(scrape).toMatch(/^blocked_total\{job_id="push"\} (?:[2-9]|\d\d+)$/m);
    expect(scrape).toContain('blocked_seconds_count{job_id="push"} 1');
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
  });

  it("gives up after its timeout, not after twice that, and skips the job", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "blocked",
          type: "local",
          blocks_on: [{ type: "local", path: path("locks/other"), wait_time: 30, timeout: 5 }],
          actions: [{ action: "command", id: "touch", command: `/usr/bin/touch ${path("dest/never")}` }],
        },
      ],
    }));
    await writeFile(instance.path("locks/other"), "1\n");
    const run = await instance.cli("run", "--json");
    expect(run.exitCode).toBe(75);
    const { jobs } = JSON.parse(run.stdout) as RunResult;
    expect(jobs[0]?.outcome).toMatchObject({ kind: "skipped", cause: "block-timeout" });
    const waited = new Date(jobs[0]?.finishedAt ?? 0).getTime() - new Date(jobs[0]?.startedAt ?? 0).getTime();
    expect(waited).toBeGreaterThanOrEqual(5000);
    expect(waited).toBeLessThan(10_000);
    expect(await readdir(instance.path("dest"))).toEqual([]);
    expect(await readFile(instance.path("locks/other"), "utf8")).toBe("1\n");
  });

  it("does not take a dead host for a free one, whether it refuses or is silent", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const silentPort = typeof address === "object" ? address?.port : 0;
    const block = {
      type: "remote",
      host: "127.0.0.1",
      user: backup.user,
      private_ssh_key: backup.identityFile,
      wait_time: 0.5,
      timeout: 2,
    };
    const refusingPort = await freePort();
    const instance = await makeInstance(({ path }) => ({
      ssh: { known_hosts_file: backup.knownHostsFile, connect_timeout: 1 },
      jobs: [
        ["refused", refusingPort],
        ["silent", silentPort],
      ].map(([id, port]) => ({
        id,
        type: "local",
        blocks_on: [{ ...block, port, path: path("locks/other"), on_timeout: "fail" }],
        actions: [{ action: "command", id: "touch", command: `/usr/bin/touch ${path("dest/never")}` }],
      })),
    }));
    const run = await instance.cli("run", "--json");
    expect(run.exitCode).toBe(1);
    const { jobs } = JSON.parse(run.stdout) as RunResult;
    expect(jobs.map((job) => job.outcome.kind)).toEqual(["failed", "failed"]);
    expect(await readdir(instance.path("dest"))).toEqual([]);
  });

  it("is not blocked by its own lock when the same file is in both lists", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "mutex",
          type: "local",
          lock_files: [{ type: "local", path: path("locks/mutex") }],
          blocks_on: [{ type: "local", path: path("locks/mutex"), wait_time: 0.2, timeout: 1 }],
          actions: [{ action: "command", id: "look", command: `/bin/cat ${path("locks/mutex")}` }],
        },
      ],
    }));
    const run = await instance.cli("run");
    expect(run.exitCode, run.stdout).toBe(0);
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    await writeFile(instance.path("locks/mutex"), "7\n");
    expect((await instance.cli("run")).exitCode).toBe(75);
  });

  it("goes on and frees its lock when the reader of its output has gone", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "talks",
          type: "local",
          lock_files: [{ type: "local", path: path("locks/talks") }],
          actions: [
            {
              action: "command",
              id: "talk",
              command: "/bin/sh",
              args: ["-c", `for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done; touch ${path("dest/done")}`],
            },
          ],
        },
      ],
    }));
    const run = execa("sh", [
      "-c",
      `"$0" "$@" | head -n 1`,
      process.execPath,
      builtProgram,
      "run",
      "--config",
      instance.configFile,
    ]);
    expect((await run).stdout).toContain("started");
    await expect.poll(() => readdir(instance.path("dest"))).toEqual(["done"]);
    await expect.poll(() => locksIn(instance.path("locks"))).toEqual([]);
    expect((await instance.cli("history")).stdout).toMatch(/ ok +talks/);
  });

  it("never lets two directors that list each other work at once", async () => {
    const witness = (path: (...parts: string[]) => string, name: string) =>
      `set -C; : > ${path("witness")} || { echo ${name} met the other; exit 9; }; sleep 0.05; rm ${path("witness")}`;
    const shared = await makeInstance({
      jobs: [{ id: "unused", type: "local", actions: [{ action: "command", id: "true", command: "/bin/true" }] }],
    });
    const makeOne = (name: string, other: string) =>
      makeInstance({
        ssh: trust(backup),
        jobs: [
          {
            id: name,
            type: "remote",
            ...reach(backup),
            lock_files: [{ type: "remote", path: shared.path("locks", name) }],
            blocks_on: [{ type: "remote", path: shared.path("locks", other), wait_time: 0.05 }],
            actions: [
              {
                action: "command",
                id: "work",
                command: "/bin/sh",
                args: ["-c", witness((...parts) => shared.path(...parts), name)],
              },
            ],
          },
        ],
      });
    const directors = await Promise.all(
      [makeOne("a", "b"), makeOne("b", "a")].map(async (made) => (await made).start()),
    );
    const rounds = 5;
    await Promise.all(
      directors.map(async (director) => {
        for (let round = 0; round < rounds; round += 1) {
          const since = director.lines.length;
          director.signal("SIGHUP");
          await director.waitForLine(is("run finished"), { since });
        }
      }),
    );
    for (const director of directors) {
      const outcomes = director.lines.filter(is("run finished")).map((line) => line.outcome);
      expect(outcomes).toEqual(Array.from({ length: rounds }, () => "ok"));
      director.signal("SIGTERM");
      expect(await director.exited).toBe(0);
    }
    expect(await locksIn(shared.path("locks"))).toEqual([]);
  });
});
