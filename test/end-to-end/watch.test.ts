import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { DirectorProcess } from "../support/director-process.ts";
import { type ConfigDraft, type Instance, makeInstance, reach, trust } from "../support/instance.ts";
import { freePort, startSshd, type TestSshd } from "../support/sshd.ts";

let backup: TestSshd;
beforeAll(async () => void (backup = await startSshd()));
afterAll(() => backup.stop());

/** One job that watches `source` and sends what changes to `dest` of the other host. */
function watchedJob(path: Instance["path"], watch: ConfigDraft = {}, job: ConfigDraft = {}): ConfigDraft {
  return {
    ssh: trust(backup),
    jobs: [
      {
        id: "live",
        type: "remote",
        ...reach(backup),
        watch: { debounce: 0.2, max_delay: 2, ...watch },
        retry: { delay: 1, max_delay: 2 },
        actions: [
          { action: "sync", id: "copy", source: path("source/"), dest: path("dest"), rsync: { archive: true } },
        ],
        ...job,
      },
    ],
  };
}

const ended = (outcome: string) => (line: { msg: string }) =>
  line.msg === "job finished" && (line as Record<string, unknown>)["outcome"] === outcome;

/** The next job that ends well, from this moment on. */
async function nextSync(director: DirectorProcess, change: () => Promise<unknown>, outcome = "ok") {
  const since = director.lines.length;
  await change();
  await director.waitForLine(ended(outcome), { since });
}

async function stop(director: DirectorProcess, signal: NodeJS.Signals = "SIGTERM") {
  director.signal(signal);
  await director.exited;
}

describe("a job that watches", () => {
  it("sends what is there at its start, and then what is made, changed, moved and deleted", async () => {
    const instance = await makeInstance(({ path }) => watchedJob(path, { delete: "watch" }));
    const path = (...parts: string[]) => instance.path(...parts);
    const at = (name: string) => readFile(path("dest", name), "utf8").catch(() => undefined);
    /** What is done in several steps may be sent by several runs. */
    const arrives = (name: string, content: string | undefined) => expect.poll(() => at(name)).toBe(content);
    await writeFile(path("source/first"), "one");
    await writeFile(path("dest/only-there"), "kept");
    const director = await instance.start();
    await director.waitForLine(ended("ok"));
    expect(await at("first")).toBe("one");
    await nextSync(director, async () => {
      await mkdir(path("source/new/deep"), { recursive: true });
      await writeFile(path("source/new/deep/file"), "two");
    });
    await arrives("new/deep/file", "two");
    await nextSync(director, () => writeFile(path("source/first"), "ONE"));
    await arrives("first", "ONE");
    await nextSync(director, () => rename(path("source/new"), path("source/moved")));
    await arrives("moved/deep/file", "two");
    await arrives("new/deep/file", undefined);
    await nextSync(director, () => rm(path("source/first")));
    await arrives("first", undefined);
    expect(await at("only-there")).toBe("kept");
    await stop(director);
  });

  it("deletes nothing unless it is told to", async () => {
    const instance = await makeInstance(({ path }) => watchedJob(path));
    const path = (...parts: string[]) => instance.path(...parts);
    await writeFile(path("source/gone"), "one");
    const director = await instance.start();
    await director.waitForLine(ended("ok"));
    await nextSync(director, async () => {
      await rm(path("source/gone"));
      await writeFile(path("source/new"), "two");
    });
    await expect.poll(() => readFile(path("dest/new"), "utf8").catch(() => undefined)).toBe("two");
    expect(await readFile(path("dest/gone"), "utf8")).toBe("one");
    await stop(director);
  });

  it("sends nothing again after a restart, and what changed last before it", async () => {
    const instance = await makeInstance(({ path }) =>
      watchedJob(path, { on_start: "none", debounce: 30, max_delay: 60 }),
    );
    const path = (...parts: string[]) => instance.path(...parts);
    await writeFile(path("source/first"), "one");
    const first = await instance.start();
    await first.waitForLine(ended("ok"));
    // In its debounce, or not even heard of, when the director is stopped.
    await writeFile(path("source/late"), "two");
    await stop(first);
    const second = await instance.start();
    await second.waitForLine(ended("ok"));
    expect(await readFile(path("dest/late"), "utf8")).toBe("two");
    const sent = second.lines.filter(
      ({ msg, line }) => msg === "action output" && /Number of regular files/.test(String(line)),
    );
    expect(sent.map(({ line }) => line)).toEqual(["Number of regular files transferred: 1"]);
    await stop(second);
    const third = await instance.start();
    await third.waitForLine(({ msg }) => msg === "watching");
    const scrape = await instance.scrape();
    expect(scrape).toContain('rsyncdirector_pending_files{job_id="live",target="127.0.0.1"} 0');
    await stop(third);
    expect(third.lines.filter(({ msg }) => msg === "run queued")).toEqual([]);
  });

  it("syncs everything once where other files are watched after a restart", async () => {
    const instance = await makeInstance(({ path }) => watchedJob(path, { on_start: "none", exclude: ["*.old"] }));
    const path = (...parts: string[]) => instance.path(...parts);
    const exclude = async (before: string, after: string) =>
      writeFile(instance.configFile, (await readFile(instance.configFile, "utf8")).replace(before, after));
    const startsWithoutRun = async () => {
      const director = await instance.start();
      await director.waitForLine(({ msg }) => msg === "watching");
      await stop(director);
      expect(director.lines.filter(({ msg }) => msg === "run queued")).toEqual([]);
    };
    await writeFile(path("source/first"), "one");
    const first = await instance.start();
    await first.waitForLine(ended("ok"));
    await writeFile(path("source/unseen.old"), "two");
    await nextSync(first, () => writeFile(path("source/seen"), "three"));
    await stop(first);
    await startsWithoutRun();
    await expect(readFile(path("dest/unseen.old"))).rejects.toThrow("ENOENT");
    await exclude("*.old", "*.older");
    const second = await instance.start();
    await second.waitForLine(ended("ok"));
    expect(await readFile(path("dest/unseen.old"), "utf8")).toBe("two");
    // The same without a restart, which the next start knows as well.
    await writeFile(path("source/unseen.older"), "four");
    await nextSync(second, async () => {
      await exclude("*.older", "*.oldest");
      expect(await instance.cli("reload")).toMatchObject({ exitCode: 0 });
    });
    expect(await readFile(path("dest/unseen.older"), "utf8")).toBe("four");
    await stop(second);
    await startsWithoutRun();
  });

  it("syncs everything after it was killed, because nobody knows what it had seen", async () => {
    const instance = await makeInstance(({ path }) => watchedJob(path, { on_start: "none" }));
    const path = (...parts: string[]) => instance.path(...parts);
    const first = await instance.start();
    await first.waitForLine(ended("ok"));
    await stop(first, "SIGKILL");
    await writeFile(path("source/meanwhile"), "one");
    const second = await instance.start();
    await second.waitForLine(ended("ok"));
    expect(await readFile(path("dest/meanwhile"), "utf8")).toBe("one");
    await stop(second);
  });

  it("keeps what has not arrived while its target is down, and says how much", async () => {
    const again = { directory: backup.directory, port: await freePort() };
    let host = await startSshd(again);
    const instance = await makeInstance(({ path }) => watchedJob(path, {}, reach(host)));
    const path = (...parts: string[]) => instance.path(...parts);
    const director = await instance.start();
    await director.waitForLine(ended("ok"));
    await host.stop();
    await nextSync(director, () => writeFile(path("source/file"), "one"), "failed");
    expect(await instance.scrape()).toContain('rsyncdirector_pending_files{job_id="live",target="127.0.0.1"} 1');
    const since = director.lines.length;
    host = await startSshd(again);
    onTestFinished(() => host.stop());
    await director.waitForLine(ended("ok"), { since });
    expect(await readFile(path("dest/file"), "utf8")).toBe("one");
    expect(await instance.scrape()).toContain('rsyncdirector_pending_files{job_id="live",target="127.0.0.1"} 0');
    await stop(director);
  });
});
