import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { ChangeTracker } from "../../src/changes/change-tracker.ts";
import type { SyncAction } from "../../src/config/resolved.ts";
import type { PathChange } from "../../src/model/changes.ts";
import { buildSync, type StartOptions, startAction } from "../support/run-action.ts";
import { filesBelow, readChanges, trackedJob, trackerFor, trackingSettings } from "../support/tracked-tree.ts";
import { makeTempDir } from "../support/temp-dir.ts";

let directory: string;
let source: string;
let dest: string;
let backup: string;
let troubles: string[];
let tracker: ChangeTracker;

beforeEach(async () => {
  directory = await makeTempDir();
  [source, dest, backup] = [join(directory, "source"), join(directory, "dest"), join(directory, "backup")];
  troubles = [];
  tracker = trackerFor(trackingSettings(directory), { onTrouble: (_, message) => troubles.push(message) });
  await write("a.conf", "one\n");
  await write("sub/b.conf", "b\n");
});

async function write(name: string, content: string | Buffer): Promise<void> {
  await mkdir(join(source, name, ".."), { recursive: true });
  await writeFile(join(source, name), content);
}

function sync(overrides: Partial<SyncAction> = {}, options: StartOptions = {}) {
  const action = buildSync({ sources: [`${source}/`], dest, ...overrides });
  return startAction(action, { job: { trackChanges: trackedJob }, deps: { changes: tracker }, ...options });
}

async function recorded(): Promise<string[]> {
  return (await readChanges(backup)).map(({ change, path }) => `${change} ${path}`).toReversed();
}

const inPaths = (...changes: PathChange[]): StartOptions => ({
  deps: { changes: tracker },
  context: { scope: { kind: "paths", changes }, cause: { kind: "watch", path: source } },
});

describe("a complete sync", () => {
  it("records what rsync says it changed: modified, created, deleted, with copies and differences", async () => {
    await expect(sync().outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await recorded()).toEqual([]);
    await write("a.conf", "one\ntwo\n");
    await write("new é\n.conf", "new\n");
    await rm(join(source, "sub"), { recursive: true });
    const cause = { kind: "schedule", schedule: "0 3 * * *", scheduledFor: 0, missed: false } as const;
    const started = sync(
      { rsync: { archive: true, delete: true } },
      { deps: { changes: tracker }, context: { runId: "second", cause } },
    );
    await expect(started.outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await recorded()).toEqual(["modified a.conf", "created new é\n.conf", "deleted sub/b.conf"]);
    expect(await readFile(join(backup, "versions/second/job/sync/a.conf"), "utf8")).toBe("one\n");
    expect(await readFile(join(backup, "versions/second/job/sync/sub/b.conf"), "utf8")).toBe("b\n");
    const log = await readFile(join(backup, "changes.log"), "utf8");
    expect(log).toMatch(
      /Trigger: cron: 0 3 \* \* \*\nBefore: {2}.*\n--- before\n\+\+\+ after\n@@ -1,1 \+1,2 @@\n one\n\+two\n/,
    );
    expect(log).toContain("new é\\n.conf");
    expect(troubles).toEqual([]);
  });

  it("takes the baseline through the filters of the sync", async () => {
    await write("secret.key", "s\n");
    await write("sub/x.tmp", "x\n");
    await sync({ opts: ["-f- *.tmp"], rsync: { archive: true, exclude: ["*.key"] } }).outcome;
    expect(await filesBelow(join(backup, "current"))).toEqual(["job/sync/a.conf", "job/sync/sub/b.conf"]);
  });

  it("names files as rsync does when the source has no slash at its end, and with several sources", async () => {
    await mkdir(join(directory, "other"));
    await writeFile(join(directory, "other", "c.conf"), "c\n");
    const sources = [source, join(directory, "other") + "/", join(source, "a.conf")];
    await sync({ sources }).outcome;
    expect((await filesBelow(join(backup, "current/job/sync"))).toSorted()).toEqual([
      ...["a.conf", "c.conf", "source/a.conf", "source/sub/b.conf"],
    ]);
    await writeFile(join(directory, "other", "c.conf"), "c2\n");
    await write("sub/b.conf", "b2\n");
    await sync({ sources }).outcome;
    expect(await recorded()).toEqual(["modified c.conf", "modified source/sub/b.conf"]);
    expect((await readChanges(backup)).map(({ file }) => file)).toEqual([
      ...[join(source, "sub/b.conf"), join(directory, "other/c.conf")],
    ]);
  });

  it.each([[["--relative"]], [["-R"]]])("and with %j", async (opts) => {
    await sync({ sources: [`${directory}/./source/sub`], opts }).outcome;
    expect(await filesBelow(join(backup, "current/job/sync"))).toEqual(["source/sub/b.conf"]);
    await write("sub/b.conf", "b2\n");
    await sync({ sources: [`${directory}/./source/sub`], opts }).outcome;
    expect(await recorded()).toEqual(["modified source/sub/b.conf"]);
  });

  it("looks through the tree after one that failed half-way, for rsync will not tell again what it copied", async () => {
    await sync().outcome;
    await write("a.conf", "one\ntwo\n");
    await rm(join(source, "sub/b.conf"));
    const failing = sync({ sources: [`${source}/`, join(directory, "missing")], opts: ["--ignore-errors"] });
    await failing.outcome;
    await sync({ opts: ["--exclude", "/nothing"] }).outcome;
    const bad = sync({ opts: ["--temp-dir=/no/such/directory"] });
    await write("a.conf", "three\n");
    await expect(bad.outcome).resolves.toMatchObject({ kind: "failed" });
    await writeFile(join(dest, "a.conf"), "three\n");
    await sync({ rsync: { archive: true, checksum: true } }).outcome;
    expect(await recorded()).toEqual(["modified a.conf", "deleted sub/b.conf", "modified a.conf"]);
  });

  it.each([[["-q"]], [["--out-format=%n"]], [["-i"]], [["-ii"]]])("records with %j too", async (opts) => {
    await sync().outcome;
    await write("a.conf", "one\ntwo\n");
    const started = sync({ opts });
    await started.outcome;
    expect(await recorded()).toEqual(["modified a.conf"]);
  });

  it("tracks nothing in a dry run, of its own or by the operator's words", async () => {
    await sync({}, { dryRun: true, deps: { changes: tracker } }).outcome;
    await sync({ opts: ["-n"] }).outcome;
    expect(await filesBelow(backup)).toEqual([]);
  });

  it("does not track what the tracker itself writes into the tree", async () => {
    backup = join(source, "backup");
    const settings = { ...trackingSettings(directory), backupDir: backup, logFile: join(source, "changes.log") };
    tracker = trackerFor(settings);
    await sync().outcome;
    await write("a.conf", "second\n");
    await write("x", "x\n");
    for (let round = 0; round < 3; round += 1) await sync().outcome;
    expect(await recorded()).toEqual(["modified a.conf", "created x"]);
  });
});

describe("a sync of a list", () => {
  it("records the state before rsync began, of files, directories and what was deleted", async () => {
    await sync().outcome;
    await write("a.conf", "second\n");
    await write("new/deep/c.conf", "c\n");
    await rm(join(source, "sub"), { recursive: true });
    await sync(
      {},
      inPaths(
        { path: join(source, "a.conf"), kind: "changed" },
        { path: join(source, "new"), kind: "tree" },
        { path: join(source, "sub"), kind: "deleted" },
        { path: "/somewhere/else", kind: "changed" },
      ),
    ).outcome;
    expect(await recorded()).toEqual(["modified a.conf", "created new/deep/c.conf", "deleted sub/b.conf"]);
    expect(await readFile(join(backup, "changes.log"), "utf8")).toContain(`Trigger: watch: ${source}\n`);
  });

  it("does not record a new file that the sync left out", async () => {
    await sync({ opts: ["--exclude=*.tmp"] }).outcome;
    await write("x.tmp", "x\n");
    await write("a.conf", "second\n");
    const paths = ["x.tmp", "a.conf"].map((name) => ({ path: join(source, name), kind: "changed" as const }));
    await sync({ opts: ["--exclude=*.tmp"] }, inPaths(...paths)).outcome;
    expect(await recorded()).toEqual(["modified a.conf"]);
  });

  it("takes only the endings of the sync", async () => {
    await write("x.txt", "x\n");
    await sync({ extensions: [".conf"] }).outcome;
    await write("x.txt", "y\n");
    await write("a.conf", "second\n");
    await sync({ extensions: [".conf"] }, inPaths({ path: source, kind: "tree" })).outcome;
    expect(await recorded()).toEqual(["modified a.conf"]);
  });
});

describe("tracking that does not work", () => {
  it("makes a warning of a success, and the copy is there", async () => {
    await writeFile(backup, "in the way");
    const { outcome } = sync();
    await expect(outcome).resolves.toMatchObject({
      kind: "warning",
      message: expect.stringMatching(/^changes were not tracked: EEXIST|^changes were not tracked: ENOTDIR/),
    });
    expect(await readFile(join(dest, "a.conf"), "utf8")).toBe("one\n");
    expect(troubles).toHaveLength(1);
  });

  it("catches up when it works again", async () => {
    await sync().outcome;
    await rm(join(backup, "changes.log"), { force: true });
    await mkdir(join(backup, "changes.log"));
    await write("a.conf", "second\n");
    await expect(sync().outcome).resolves.toMatchObject({ kind: "warning" });
    await write("a.conf", "three\n");
    await expect(sync().outcome).resolves.toMatchObject({ kind: "warning" });
    await rm(join(backup, "changes.log"), { recursive: true });
    await expect(sync().outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await recorded()).toEqual(["modified a.conf", "modified a.conf"]);
    const log = await readFile(join(backup, "changes.log"), "utf8");
    expect(log.match(/^[-+][a-z]+$/gm)).toEqual(["-one", "+second", "-second", "+three"]);
    expect(await filesBelow(join(backup, "staging"))).toEqual([]);
  });

  it("leaves a failure as it is", async () => {
    await writeFile(backup, "in the way");
    await expect(sync({ sources: [join(directory, "missing")] }).outcome).resolves.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("does not exist"),
    });
  });
});
