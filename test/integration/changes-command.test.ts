import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { TextSink } from "../support/text-sink.ts";

let directory: string;
let source: string;
let file: string;
let config: string;

beforeEach(async () => {
  directory = await makeTempDir();
  source = join(directory, "source");
  await mkdir(join(source, "sub"), { recursive: true });
  file = join(source, "sub", "site.conf");
  config = await writeConfig([sync("copy", `${source}/`)]);
});

function sync(id: string, from: string) {
  return { action: "sync", id, source: from, dest: join(directory, `dest-${id}`), rsync: { archive: true } };
}

async function writeConfig(actions: readonly object[], track: object | boolean = true): Promise<string> {
  const path = join(directory, "config.yaml");
  const jobs = [{ id: "www", type: "local", track_changes: track, actions }];
  const content = { rsync_id: "test", state_dir: directory, pid_file_dir: directory, jobs };
  await writeFile(path, JSON.stringify(content), { mode: 0o600 });
  return path;
}

async function run(...args: string[]) {
  const [stdout, stderr] = [new TextSink(), new TextSink()];
  const exit = await runProgram([...args, "-c", config], { env: process.env, stdout, stderr });
  return { exit, out: stdout.text, err: stderr.text };
}

/** Changes the file and lets the director sync it; returns the id of the run that did. */
async function change(content: string, path = file): Promise<string> {
  await writeFile(path, content);
  await syncAll();
  const [last] = JSON.parse((await run("changes", path, "--json", "-n", "1")).out) as { runId: string }[];
  return last?.runId ?? "";
}

async function syncAll(): Promise<void> {
  const { exit, err } = await run("run");
  expect([exit, err]).toEqual([0, expect.any(String)]);
}

/** A file with three contents; the runs that made the second and the third. */
async function withHistory(): Promise<[second: string, third: string]> {
  await writeFile(file, "one\n");
  await syncAll();
  return [await change("one\ntwo\n"), await change("one\ntwo\nthree\n")];
}

describe("changes", () => {
  it("lists what was changed, by which run and job, the newest first", async () => {
    const [second, third] = await withHistory();
    const { out } = await run("changes");
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^TIME +CHANGE +LINES +COPY +RUN +JOB +FILE$/);
    expect(lines[1]).toMatch(new RegExp(`modified +\\+1 -0 +yes +${third} +www +${file}$`));
    expect(lines[2]).toMatch(new RegExp(`modified +\\+1 -0 +yes +${second} +www +${file}$`));
    expect(lines).toHaveLength(3);
  });

  it("narrows it down to a file, a directory, a job, a run, a time, a number", async () => {
    const [second] = await withHistory();
    const count = async (...args: string[]) =>
      (JSON.parse((await run("changes", "--json", ...args)).out) as unknown[]).length;
    expect(await count(file)).toBe(2);
    expect(await count("sub")).toBe(2);
    expect(await count(`${source}/sub/../sub/`)).toBe(2);
    expect(await count("sub/site")).toBe(0);
    expect(await count("--run", second)).toBe(1);
    expect(await count("--since", "1h")).toBe(2);
    expect(await count("--since", "2100-01-01")).toBe(0);
    expect(await count("-n", "1")).toBe(1);
    expect(await count("-j", "www")).toBe(2);
  });

  it("shows the differences from the copies", async () => {
    const [second, third] = await withHistory();
    const { out } = await run("changes", file, "--diff");
    expect(out).toContain(`run ${third}, job www`);
    expect(out).toContain("@@ -1,2 +1,3 @@\n one\n two\n+three\n");
    expect(out).toContain("@@ -1,1 +1,2 @@\n one\n+two\n");
    await rm(join(directory, "changes-test", "versions", second), { recursive: true });
    expect((await run("changes", file, "--diff", "--run", second)).out).toContain(
      "(no difference: its copies are not kept any more; the change log may have it)",
    );
  });

  it("says that nothing is recorded yet, and that nothing is tracked", async () => {
    expect(await run("changes")).toEqual({ exit: 0, out: "", err: "no such changes are recorded\n" });
    expect(await run("changes", "--json")).toMatchObject({ exit: 0, out: "[]\n" });
    await writeConfig([sync("copy", `${source}/`)], false);
    expect(await run("changes")).toMatchObject({ exit: 78, err: expect.stringContaining("tracks its changes") });
    expect(await run("changes", "-j", "other")).toMatchObject({
      exit: 78,
      err: expect.stringContaining('no job "other"'),
    });
  });

  it("cannot be used to steer a terminal", async () => {
    await syncAll();
    const hostile = join(source, "x\u001b]0;owned\u0007\nFAKE  modified");
    await change("1\n", hostile);
    await change("1\n\u001b[2J\n", hostile);
    const list = await run("changes");
    expect(list.out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(list.out.trimEnd().split("\n")).toHaveLength(3);
    const stdout = new TextSink({ isTTY: true });
    await runProgram(["changes", "--diff", "-c", config], { env: process.env, stdout, stderr: new TextSink() });
    expect(stdout.text).toContain("+\ufffd[2J");
    expect((await run("changes", "--diff")).out).toContain("+\u001b[2J\n");
  });
});

describe("changes restore", () => {
  it("writes the file as it was before a run, with its permissions, and says so", async () => {
    await writeFile(file, "one\n");
    await chmod(file, 0o640);
    await syncAll();
    const second = await change("one\ntwo\n");
    await chmod(file, 0o600);
    expect(await run("changes", "restore", file, "--run", second)).toEqual({
      ...{ exit: 0, err: "", out: `${file} was replaced, it is now as it was before run ${second} (4 bytes)\n` },
    });
    expect(await readFile(file, "utf8")).toBe("one\n");
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readdir(join(source, "sub"))).toEqual(["site.conf"]);
    expect((await run("changes", "restore", "sub/site.conf", "--run", second)).out).toContain("is already as it was");
  });

  it("does not replace a file that has changed since without --force", async () => {
    const [second] = await withHistory();
    const refused = await run("changes", "restore", file, "--run", second);
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining("has changed since that run: --force") });
    expect(await readFile(file, "utf8")).toBe("one\ntwo\nthree\n");
    expect(await run("changes", "restore", file, "--run", second, "--force")).toMatchObject({ exit: 0 });
    expect(await readFile(file, "utf8")).toBe("one\n");
  });

  it("brings back a deleted file with its directories", async () => {
    await writeFile(file, "one\n");
    await syncAll();
    await rm(join(source, "sub"), { recursive: true });
    await writeFile(join(source, "other"), "");
    await writeConfig([{ ...sync("copy", `${source}/`), opts: ["--delete"] }]);
    await syncAll();
    const [deleted] = JSON.parse((await run("changes", file, "--json")).out) as { change: string; runId: string }[];
    expect(deleted?.change).toBe("deleted");
    expect(await run("changes", "restore", file, "--run", deleted?.runId ?? "")).toMatchObject({
      out: expect.stringContaining("was written as it was"),
    });
    expect(await readFile(file, "utf8")).toBe("one\n");
  });

  it("writes elsewhere with --to, and replaces nothing there without --force", async () => {
    const [second] = await withHistory();
    const to = join(directory, "restored");
    expect(await run("changes", "restore", file, "--run", second, "--to", to)).toMatchObject({ exit: 0 });
    expect(await readFile(to, "utf8")).toBe("one\n");
    await writeFile(to, "mine\n");
    expect(await run("changes", "restore", file, "--run", second, "--to", to)).toMatchObject({ exit: 1 });
    expect(await readFile(to, "utf8")).toBe("mine\n");
  });

  it("names the runs to choose from, and takes the beginning of one", async () => {
    const [second, third] = await withHistory();
    expect(await run("changes", "restore", file, "--run", "1999")).toMatchObject({
      ...{ exit: 1, err: expect.stringContaining(`run 1999 did not change ${file}; these did: ${third}, ${second}`) },
    });
    expect(await run("changes", "restore", "nothing", "--run", second)).toMatchObject({
      ...{ exit: 1, err: expect.stringContaining("no change of nothing is recorded") },
    });
    expect(await run("changes", "restore", file, "--run", third.slice(0, -1))).toMatchObject({ exit: 0 });
    expect(await readFile(file, "utf8")).toBe("one\ntwo\n");
    expect((await run("changes", "restore", file, "--run", "2")).err).toContain('several runs begin with "2"');
  });

  it("says that a name may be one of several files", async () => {
    const other = join(directory, "other");
    await mkdir(other);
    await writeConfig([sync("copy", `${join(source, "sub")}/`), sync("second", `${other}/`)]);
    await writeFile(file, "1\n");
    await writeFile(join(other, "site.conf"), "1\n");
    await syncAll();
    await writeFile(join(other, "site.conf"), "two\n");
    const runId = await change("two\n");
    expect(await run("changes", "restore", "site.conf", "--run", runId)).toMatchObject({
      ...{ exit: 1, err: expect.stringMatching(/site.conf may be one of several files: .*give an absolute path/) },
    });
    expect(await run("changes", "restore", join(other, "site.conf"), "--run", runId)).toMatchObject({ exit: 0 });
  });

  it("says why there is nothing to restore", async () => {
    await syncAll();
    const created = await change("one\n");
    expect((await run("changes", "restore", file, "--run", created)).err).toContain("was not there before run");
    const binary = join(source, "binary");
    await change("\0", binary);
    const changed = await change("\0\0", binary);
    expect((await run("changes", "restore", binary, "--run", changed)).err).toContain(
      "only its checksum: it was binary",
    );
    const second = await change("one\ntwo\n");
    await writeFile(join(directory, "changes-test", "versions", second, "www/copy/sub/site.conf"), "damaged");
    expect((await run("changes", "restore", file, "--run", second)).err).toContain("not kept any more, or is damaged");
  });

  it("is not led elsewhere by links, and takes a path for nothing but a name", async () => {
    const [, third] = await withHistory();
    const victim = join(directory, "victim");
    await mkdir(victim);
    await writeFile(join(victim, "site.conf"), "one\ntwo\nthree\n");
    await rm(join(source, "sub"), { recursive: true });
    await symlink(victim, join(source, "sub"));
    expect(await run("changes", "restore", file, "--run", third, "--force")).toMatchObject({
      ...{ exit: 1, err: expect.stringContaining("is a link or no directory") },
    });
    expect(await readFile(join(victim, "site.conf"), "utf8")).toBe("one\ntwo\nthree\n");
    await rm(join(source, "sub"));
    await mkdir(join(source, "sub"));
    await symlink(join(victim, "site.conf"), file);
    expect((await run("changes", "restore", file, "--run", third)).err).toContain("is no regular file");
    expect(await run("changes", "restore", file, "--run", third, "--force")).toMatchObject({ exit: 0 });
    expect(await readFile(join(victim, "site.conf"), "utf8")).toBe("one\ntwo\nthree\n");
    expect(await readFile(file, "utf8")).toBe("one\ntwo\n");
    expect(await run("changes", "restore", "../../sub/site.conf", "--run", third)).toMatchObject({ exit: 0 });
  });
});
