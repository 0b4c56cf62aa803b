import { openSync, closeSync, writeSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startDirectorProcess } from "../support/director-process.ts";
import { makeInstance, processesNaming } from "../support/instance.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { processState, waitUntil } from "../support/process-state.ts";

const library = readdirSync("/usr/lib")
  .map((folder) => join("/usr/lib", folder, "faketime", "libfaketimeMT.so.1"))
  .find((path) => existsSync(path));
const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

/** A director whose job holds a lock and goes on until the file `go` is there. */
async function startHolder(options: { env?: NodeJS.ProcessEnv; inside?: readonly string[] }) {
  const instance = await makeInstance(({ path }) => ({
    lock: { heartbeat: 6, operation_timeout: 6, ttl: 200, renew_deadline: 120 },
    jobs: [
      {
        id: "hold",
        type: "local",
        lock_files: [{ type: "local", path: path("locks/a") }],
        actions: [
          {
            action: "command",
            id: "wait",
            command: "/bin/sh",
            args: ["-c", `while [ ! -e ${path("go")} ]; do sleep 0.1; done`],
          },
        ],
      },
    ],
  }));
  const director = startDirectorProcess(["start", "--config", instance.configFile], options);
  onTestFinished(async () => {
    director.signal("SIGCONT");
    director.signal("SIGKILL");
    await director.exited;
  });
  await director.waitForLine(is("director started"));
  director.signal("SIGHUP");
  await director.waitForLine(is("action started"));
  const lock = instance.path("locks/a");
  /** Resolves when the lock is touched again, however young it was. */
  const nextBeat = async () => {
    await utimes(lock, 1000, 1000);
    return () => waitUntil("the lock is touched", async () => (await stat(lock)).mtimeMs > 1_000_000);
  };
  const finish = async () => {
    await writeFile(instance.path("go"), "");
    return director.waitForLine(is("run finished"));
  };
  return { instance, director, lock, nextBeat, finish };
}

/** A file to be mounted over /proc/uptime, which goes on as that does, ahead of it by a time that can be set. */
async function fakeUptime(file: string) {
  let aheadSeconds = 0;
  await writeFile(file, readFileSync("/proc/uptime"));
  const descriptor = openSync(file, "r+");
  // Written over in one go and always equally long: no reader finds half of it.
  const write = () => {
    const seconds = Number.parseFloat(readFileSync("/proc/uptime", "utf8")) + aheadSeconds;
    writeSync(descriptor, `${seconds.toFixed(2)} 0.00`.padEnd(60), 0);
  };
  const timer = setInterval(write, 5);
  onTestFinished(() => {
    clearInterval(timer);
    closeSync(descriptor);
  });
  return {
    suspend: (seconds: number) => {
      aheadSeconds += seconds;
      write();
    },
  };
}

describe("the clock of the owner", () => {
  it("may be set by an hour or ten years while a lock is held: nobody minds", async (context) => {
    if (library === undefined) return context.skip("libfaketime (Debian package faketime) is not installed");
    const directory = (await makeInstance({ jobs: [] })).directory;
    const clock = join(directory, "clock");
    const setClock = async (seconds: number) => {
      await writeFile(`${clock}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
      await rename(`${clock}.new`, clock);
    };
    await setClock(0);
    const { director, lock, nextBeat, finish } = await startHolder({
      env: {
        ...process.env,
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      },
    });
    const content = await readFile(lock, "utf8");
    for (const seconds of [3600, -3600, 315_576_000, -315_576_000, 0]) {
      await setClock(seconds);
      await (
        await nextBeat()
      )();
      expect(await readFile(lock, "utf8")).toBe(content);
    }
    expect(await finish()).toMatchObject({ outcome: "ok" });
    expect(director.lines.filter(({ msg }) => /lock.*(lost|suspect)/i.test(msg))).toEqual([]);
    await expect(stat(lock)).rejects.toMatchObject({ code: "ENOENT" });
  });

  describe("goes on by an hour while the machine sleeps", () => {
    const sleepAnHour = async (meanwhile: (lock: string) => Promise<void>) => {
      const file = join((await makeInstance({ jobs: [] })).directory, "uptime");
      const uptime = await fakeUptime(file);
      const enter = ["unshare", "-m", "/bin/sh", "-c", 'mount --bind "$0" /proc/uptime && exec "$@"', file];
      const holder = await startHolder({ inside: enter });
      const { director, lock } = holder;
      director.signal("SIGSTOP");
      await waitUntil("it has stopped", () => processState(director.pid) === "T");
      await meanwhile(lock);
      uptime.suspend(3600);
      return holder;
    };

    it("and the job goes on when the lock is still its own, which is asked first", async () => {
      const { director, finish, nextBeat } = await sleepAnHour(() => Promise.resolve());
      const beaten = await nextBeat();
      director.signal("SIGCONT");
      // The next sign of life would be due in half a minute: this one is the question.
      await beaten();
      expect(await finish()).toMatchObject({ outcome: "ok" });
    });

    it("and the job is stopped at once when the lock is another's, which stays", async () => {
      const theirs = lockContent({ token: "their-token-0123456789-" });
      const { director, instance, lock } = await sleepAnHour(async (path) => {
        await rm(path);
        await writeFile(path, theirs);
      });
      director.signal("SIGCONT");
      expect(await director.waitForLine(is("run finished"))).toMatchObject({ outcome: "failed" });
      expect(JSON.stringify(director.lines)).toContain("lock lost");
      expect(await readFile(lock, "utf8")).toBe(theirs);
      await waitUntil("nothing of the job runs", async () => {
        return (await processesNaming(instance.path("go"))).length === 0;
      });
    });
  });
});
