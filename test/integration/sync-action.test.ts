import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { RsyncOptions } from "../../src/base/rsync-options.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { buildSync, startAction } from "../support/run-action.ts";

let directory: string;
let source: string;
let dest: string;

beforeEach(async () => {
  directory = await makeTempDir();
  source = join(directory, "source");
  dest = join(directory, "dest");
  await mkdir(join(source, "sub"), { recursive: true });
  await writeFile(join(source, "file"), "content");
  await writeFile(join(source, "sub", "other"), "more");
});

/** A program of that name which a test puts before the real ones. */
async function fakeProgram(name: string, script: string): Promise<Record<string, string>> {
  const bin = join(directory, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
  return { PATH: `${bin}:${process.env["PATH"]}` };
}

describe("a local sync", () => {
  it("copies, and reports statistics, progress and the command", async () => {
    const { outcome, argv, progress } = startAction(buildSync({ sources: [`${source}/`], dest }));
    await expect(outcome).resolves.toMatchObject({
      kind: "ok",
      report: { exitCode: 0, signal: null, stats: { filesTransferred: 2, filesDeleted: 0, literalBytes: 11 } },
    });
    expect(await readFile(join(dest, "sub", "other"), "utf8")).toBe("more");
    expect(argv).toEqual(expect.arrayContaining(["rsync", "--archive", "--", `${source}/`, dest]));
    expect(progress.at(-1)).toMatchObject({ bytes: 11, percent: 100, filesTransferred: 2 });
  });

  it("copies several sources at once", async () => {
    await expect(
      startAction(buildSync({ sources: [join(source, "file"), join(source, "sub")], dest })).outcome,
    ).resolves.toMatchObject({ kind: "ok" });
    expect((await readdir(dest)).toSorted()).toEqual(["file", "sub"]);
  });

  it("shows in a dry run what would change, and changes nothing", async () => {
    const { outcome, lines } = startAction(buildSync({ sources: [`${source}/`], dest }), { dryRun: true });
    await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 2 } } });
    expect(lines).toContain("stdout: >f+++++++++ file");
    await expect(readdir(dest)).rejects.toThrow("ENOENT");
  });

  it("hands the user's output options and words to rsync as they are", async () => {
    const action = buildSync({ sources: [`${source}/`], dest, opts: ["-v", "--exclude", "sub", "-hh"] });
    const { outcome, lines } = startAction(action);
    await expect(outcome).resolves.toMatchObject({
      kind: "ok",
      report: { stats: { filesTransferred: 1, totalBytes: 7 } },
    });
    expect(lines).toContain("stdout: file");
  });

  it("fails for a partial transfer, and names rsync's first complaint", async () => {
    const action = buildSync({ sources: [`${source}/`], dest, rsync: { archive: true, excludeFrom: "/no/such/file" } });
    await expect(startAction(action).outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "exit",
      message: expect.stringMatching(/^rsync ended with 11: .*\/no\/such\/file/),
    });
  });
});

describe("a sync that ends well and copies nothing", () => {
  const run = (rsync: RsyncOptions, opts: string[], from = `${source}/`) =>
    startAction(buildSync({ sources: [from], dest, rsync, opts })).outcome;

  it.each([[["-t"]], [["-t", "--info=NONE"]], [["-a", "--no-r"]]])(
    "fails when %j skips the directory",
    async (opts) => {
      await expect(run({}, opts)).resolves.toMatchObject({
        kind: "failed",
        retryable: false,
        message: expect.stringContaining("rsync skipped the source (skipping directory .)"),
      });
    },
  );

  it.each([[["-n"]], [["--dry-run", "-q"]], [["--list-only"]]])("fails with %j in opts", async (opts) => {
    await expect(run({ archive: true }, opts)).resolves.toMatchObject({
      kind: "failed",
      retryable: false,
      message: expect.stringContaining("nothing was copied"),
    });
  });

  it("warns of filters that leave out every source", async () => {
    await expect(run({ archive: true }, ["--exclude=file"], join(source, "file"))).resolves.toMatchObject({
      kind: "warning",
    });
  });

  it.each([
    [["-a", "-q"]],
    [["-a", "--stderr=all"]],
    [["-a", "--info=stats0"]],
    [["-d"]],
    [["-a", "--files-from=/dev/null"]],
  ])("does not complain about %j", async (opts) => {
    await expect(run({}, opts)).resolves.toMatchObject({ kind: "ok" });
  });

  it("does not complain about an empty directory or a single file", async () => {
    await mkdir(join(directory, "empty"));
    await expect(run({ archive: true }, [], `${directory}/empty/`)).resolves.toMatchObject({ kind: "ok" });
    await expect(run({}, ["-t"], join(source, "file"))).resolves.toMatchObject({ kind: "ok" });
  });
});

describe("a sync with a wrong source", () => {
  it.each<[string, RsyncOptions]>([
    ["deletes", { archive: true, delete: true }],
    ["does not delete", { archive: true }],
  ])("is refused when the source is missing and it %s", async (_what, rsync) => {
    await mkdir(dest);
    await writeFile(join(dest, "precious"), "x");
    const { outcome } = startAction(buildSync({ sources: [join(directory, "missing")], dest, rsync }));
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "process",
      message: expect.stringContaining("does not exist"),
    });
    expect(await readdir(dest)).toEqual(["precious"]);
  });

  it.each<[string, RsyncOptions, string[]]>([
    ["delete", { archive: true, delete: "after" }, []],
    ["delete_excluded", { archive: true, deleteExcluded: true }, []],
    ["--del in opts", { archive: true }, ["--del"]],
  ])("is refused when the source is empty and %s is given, also in a dry run", async (_what, rsync, opts) => {
    const empty = join(directory, "empty");
    await mkdir(join(empty, "lost+found"), { recursive: true });
    await mkdir(dest);
    await writeFile(join(dest, "precious"), "x");
    for (const dryRun of [false, true]) {
      const { outcome } = startAction(buildSync({ sources: [`${empty}/`], dest, rsync, opts }), { dryRun });
      await expect(outcome).resolves.toMatchObject({ kind: "failed", message: expect.stringContaining("is empty") });
    }
    expect(await readdir(dest)).toEqual(["precious"]);
  });

  it("is run when the source is empty and nothing is deleted", async () => {
    const empty = join(directory, "empty");
    await mkdir(empty);
    await expect(startAction(buildSync({ sources: [`${empty}/`], dest })).outcome).resolves.toMatchObject({
      kind: "ok",
    });
  });
});

describe("rsync itself", () => {
  it("may be missing", async () => {
    const { outcome } = startAction(buildSync({ sources: [source], dest }), {
      deps: { env: { PATH: join(directory, "nothing") } },
    });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "process",
      retryable: false,
      message: expect.stringContaining("rsync could not be started"),
    });
  });

  it.each([
    ["exit 24", undefined, { kind: "warning" }],
    ["exit 23", undefined, { kind: "failed", cause: "exit", retryable: false }],
    ["exit 12", undefined, { kind: "failed", cause: "exit", retryable: true }],
    ["exit 20", undefined, { kind: "failed", cause: "process", retryable: true }],
    ["kill -KILL $$", undefined, { kind: "failed", cause: "process", report: { signal: "SIGKILL", exitCode: null } }],
    ["echo 'me@h: Permission denied (publickey).' >&2; exit 255", undefined, { kind: "failed", retryable: false }],
    [
      "echo 'ssh: connect to host h port 22: Connection refused' >&2; " +
        "echo 'rsync: connection unexpectedly closed (0 bytes received so far) [sender]' >&2; exit 255",
      undefined,
      { kind: "failed", retryable: true, report: { turnedAway: true } },
    ],
    ["exit 23", "ok", { kind: "ok", report: { exitCode: 23 } }],
    ["exit 23", "warning", { kind: "warning" }],
    ["exit 24", "error", { kind: "failed", retryable: false }],
    ["exit 1", "retry", { kind: "failed", retryable: true }],
  ] as const)("that does `%s`, treated as %s, is judged by the tables", async (script, treatAs, expected) => {
    const env = await fakeProgram("rsync", script);
    const code = Number(/exit (\d+)/.exec(script)?.[1] ?? 0);
    const job = { exitCodes: new Map(treatAs === undefined ? [] : [[code, treatAs]]) };
    await expect(
      startAction(buildSync({ sources: [source], dest }), { deps: { env }, job }).outcome,
    ).resolves.toMatchObject(expected);
  });

  it("never sees variables that would change what it does, and knows who runs it", async () => {
    const env = { ...(await fakeProgram("rsync", "env")), RSYNC_RSH: "evil", RSYNC_OLD_ARGS: "1" };
    const { outcome, lines } = startAction(buildSync({ sources: [source], dest }), { deps: { env } });
    await outcome;
    expect(lines.filter((line) => line.startsWith("stdout: RSYNC_"))).toEqual([]);
    expect(lines).toEqual(
      expect.arrayContaining([
        "stdout: RSYNCDIRECTOR_RUN=run-1",
        "stdout: RSYNCDIRECTOR_ACTION=sync",
        "stdout: LC_ALL=C.UTF-8",
      ]),
    );
  });
});

it("a sync that cannot be built is an exception, not a crash", async () => {
  const { outcome, argv } = startAction(buildSync({ sources: [source], dest: "host::module" }));
  await expect(outcome).resolves.toMatchObject({ kind: "failed", cause: "exception", retryable: false, report: null });
  expect(argv).toEqual([]);
});
