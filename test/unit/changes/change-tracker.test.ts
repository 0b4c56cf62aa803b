import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeTrackedTree, tree } from "../../support/tracked-tree.ts";

describe("the first sync of a tree", () => {
  it("takes the baseline of every text, so that the first modification has its copy and its difference", async () => {
    const fixture = await makeTrackedTree();
    await writeFile(join(fixture.source, "a.conf"), "one\n");
    expect(await fixture.sync([])).toBe(0);
    await writeFile(join(fixture.source, "a.conf"), "one\ntwo\n");
    expect(await fixture.sync(["a.conf"])).toBe(1);
    const [change] = await fixture.changes();
    expect(change).toMatchObject({
      ...{ change: "modified", path: "a.conf", file: join(fixture.source, "a.conf"), runId: "run-2" },
      ...{ addedLines: 1, removedLines: 0, before: { size: 4 }, after: { size: 8 } },
    });
    expect(await readFile(join(fixture.backup, change?.copy ?? ""), "utf8")).toBe("one\n");
    expect(await readFile(join(fixture.backup, "current/job/copy/a.conf"), "utf8")).toBe("one\ntwo\n");
    expect(await fixture.log()).toContain("--- before\n+++ after\n@@ -1,1 +1,2 @@\n one\n+two\n");
  });

  it("records nothing of what is the same", async () => {
    const fixture = await makeTrackedTree();
    await writeFile(join(fixture.source, "a.conf"), "one\n");
    await fixture.sync([]);
    await writeFile(join(fixture.source, "a.conf"), "one\n");
    expect(await fixture.sync(["a.conf", "a.conf", "no-such-file"])).toBe(0);
    expect(await fixture.changes()).toEqual([]);
  });
});

describe("what is recorded", () => {
  it("has created and deleted files, and keeps the last content of the deleted ones", async () => {
    const fixture = await makeTrackedTree();
    await mkdir(join(fixture.source, "sub"));
    await fixture.sync([]);
    await writeFile(join(fixture.source, "sub/b.txt"), "content\n");
    await fixture.sync(["sub/b.txt"]);
    await rm(join(fixture.source, "sub"), { recursive: true });
    await fixture.sync(["sub"]);
    const [deleted, created] = await fixture.changes();
    expect(created).toMatchObject({ change: "created", before: null, after: { kind: "text", size: 8 }, copy: null });
    expect(deleted).toMatchObject({ change: "deleted", path: "sub/b.txt", file: join(fixture.source, "sub/b.txt") });
    expect(await readFile(join(fixture.backup, deleted?.copy ?? ""), "utf8")).toBe("content\n");
    expect(await fixture.files("current")).toEqual([]);
  });

  it("has sizes and checksums of binary and of large files, and no copies", async () => {
    const fixture = await makeTrackedTree({ settings: { maxFileSize: 100 } });
    await writeFile(join(fixture.source, "binary"), Buffer.from([1, 0, 2]));
    await writeFile(join(fixture.source, "large"), "x".repeat(200));
    await fixture.sync([]);
    for (const size of [300, 400]) {
      await writeFile(join(fixture.source, "binary"), Buffer.from([3, 0, size % 256]));
      await writeFile(join(fixture.source, "large"), "x".repeat(size));
      await fixture.sync(["binary", "large"]);
    }
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    const of = async (path: string) =>
      (await fixture.changes({ path })).map(({ before, after, copy }) => ({ before, after, copy }));
    expect(await of("large")).toMatchObject([
      { before: { kind: "large", size: 300, sha256: hash }, after: { size: 400, sha256: hash }, copy: null },
      { before: { kind: "large", size: 200, sha256: null }, after: { size: 300, sha256: hash }, copy: null },
    ]);
    expect(await of("binary")).toMatchObject([
      { before: { kind: "binary", size: 3, sha256: hash }, after: { kind: "binary", sha256: hash }, copy: null },
      { before: { kind: "binary", size: 3, sha256: hash }, after: { kind: "binary", sha256: hash }, copy: null },
    ]);
    expect(await fixture.log()).toContain("modified (large), 300 -> 400 bytes, sha256 ");
    expect(await fixture.files("current")).toEqual([]);
  });

  it("keeps the copy of a text that becomes binary, and begins anew when it is text again", async () => {
    const fixture = await makeTrackedTree();
    const file = join(fixture.source, "f");
    await writeFile(file, "text\n");
    await fixture.sync([]);
    await writeFile(file, Buffer.from([0]));
    await fixture.sync(["f"]);
    expect(await fixture.files("current")).toEqual([]);
    await writeFile(file, "again\n");
    await fixture.sync(["f"]);
    const [back, away] = await fixture.changes();
    expect(away).toMatchObject({
      before: { kind: "text" },
      after: { kind: "binary" },
      copy: "versions/run-2/job/copy/f",
    });
    expect(back).toMatchObject({ before: { kind: "binary" }, after: { kind: "text" }, copy: null });
    expect(await fixture.files("current")).toEqual(["job/copy/f"]);
  });

  it("follows a file that becomes a directory, and back", async () => {
    const fixture = await makeTrackedTree();
    const file = join(fixture.source, "f");
    await writeFile(file, "file\n");
    await fixture.sync([]);
    await rm(file);
    await mkdir(file);
    await writeFile(join(file, "in"), "inside\n");
    await fixture.sync(["f/in"]);
    expect(await fixture.files("current")).toEqual(["job/copy/f/in"]);
    await rm(file, { recursive: true });
    await writeFile(file, "file again\n");
    await fixture.sync(["f"]);
    expect(await fixture.files("current")).toEqual(["job/copy/f"]);
    expect((await fixture.changes()).map(({ change, path }) => `${change} ${path}`)).toEqual([
      ...["created f", "deleted f/in", "created f/in", "deleted f"],
    ]);
  });

  it("gives a run that comes back another directory, so that the first copy stays", async () => {
    const fixture = await makeTrackedTree();
    const file = join(fixture.source, "f");
    await writeFile(file, "1\n");
    await fixture.sync([]);
    for (const content of ["2\n", "3\n", "4\n"]) {
      await writeFile(file, content);
      await fixture.sync(["f"], "same");
    }
    expect(await fixture.files("versions")).toEqual(["same/job/copy/f", "same~2/job/copy/f", "same~3/job/copy/f"]);
    expect(await readFile(join(fixture.backup, "versions/same/job/copy/f"), "utf8")).toBe("1\n");
  });

  it("does not follow links, and does not wait for pipes or read outside the tree", async () => {
    const fixture = await makeTrackedTree();
    await symlink("/etc/passwd", join(fixture.source, "link"));
    expect(await fixture.sync(["link", "../source/link", "/etc/passwd", "a//b", ""])).toBe(0);
    expect(await fixture.files("current")).toEqual([]);
  });

  it("is a deletion when a link takes the place of a file", async () => {
    const fixture = await makeTrackedTree();
    await writeFile(join(fixture.source, "f"), "text\n");
    await fixture.sync([]);
    await rm(join(fixture.source, "f"));
    await symlink("/etc/passwd", join(fixture.source, "f"));
    await fixture.sync(["f"]);
    expect(await fixture.changes()).toMatchObject([{ change: "deleted", path: "f" }]);
  });

  it("is for its owner alone", async () => {
    const fixture = await makeTrackedTree();
    await writeFile(join(fixture.source, "f"), "1\n", { mode: 0o644 });
    await fixture.sync([]);
    await writeFile(join(fixture.source, "f"), "2\n");
    await fixture.sync(["f"]);
    const mode = async (path: string) => ((await stat(join(fixture.backup, path))).mode & 0o777).toString(8);
    for (const directory of [".", "current", "current/job/copy", "versions", "versions/run-2/job/copy", "staging"]) {
      expect([directory, await mode(directory)]).toEqual([directory, "700"]);
    }
    for (const file of ["changes.log", "ledger.db", "current/job/copy/f", "versions/run-2/job/copy/f"]) {
      expect([file, await mode(file)]).toEqual([file, "600"]);
    }
    expect(await fixture.changes()).toMatchObject([{ before: { mode: 0o644 } }]);
  });
});

describe("several targets", () => {
  it("record a change once, when the first of them has it", async () => {
    const fixture = await makeTrackedTree();
    const file = join(fixture.source, "f");
    await writeFile(file, "1\n");
    await fixture.sync([]);
    await writeFile(file, "2\n");
    const counts = await Promise.all([1, 2, 3].map((lane) => fixture.sync(["f"], `lane-${lane}`)));
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
    expect(await fixture.changes()).toHaveLength(1);
  });

  it("do not go back to an older view when one of them was slower", async () => {
    const fixture = await makeTrackedTree();
    const file = join(fixture.source, "f");
    await writeFile(file, "1\n");
    await fixture.sync([]);
    const slow = fixture.tracker.of(tree, { runId: "slow", trigger: "watch" })!;
    await slow.begin(async () => []);
    await writeFile(file, "2\n");
    await slow.stage([{ path: "f", file }]);
    await writeFile(file, "3\n");
    expect(await fixture.sync(["f"], "fast")).toBe(1);
    expect(await slow.commit()).toBe(0);
    await slow.end({ settled: true });
    expect(await readFile(join(fixture.backup, "current/job/copy/f"), "utf8")).toBe("3\n");
  });
});

describe("a sync that fails", () => {
  it("leaves no trace, and the next one tells the whole difference", async () => {
    const fixture = await makeTrackedTree();
    const file = join(fixture.source, "f");
    await writeFile(file, "1\n");
    await fixture.sync([]);
    const failing = fixture.tracker.of(tree, { runId: "failing", trigger: "watch" })!;
    await failing.begin(async () => []);
    await writeFile(file, "2\n");
    await failing.stage([{ path: "f", file }]);
    await failing.end({ settled: false });
    expect(await fixture.changes()).toEqual([]);
    expect(await fixture.files("staging")).toEqual([]);
    await writeFile(file, "3\n");
    await fixture.sync(["f"]);
    expect(await fixture.log()).toContain("-1\n+3\n");
  });

  it("makes the next one unsettled, also in another life", async () => {
    const fixture = await makeTrackedTree();
    await fixture.sync([]);
    const begin = async (run: string) => fixture.tracker.of(tree, { runId: run, trigger: "cron" })!;
    const failing = await begin("failing");
    expect(await failing.begin(async () => [])).toEqual({ unsettled: false });
    await failing.end({ settled: false });
    const next = await begin("next");
    expect(await next.begin(async () => [])).toEqual({ unsettled: true });
    await next.end({ settled: true });
    const last = await begin("last");
    expect(await last.begin(async () => [])).toEqual({ unsettled: false });
    await last.end({ settled: true });
  });
});

it("tells of a file that it may not read, and tracks the others", async (context) => {
  if (process.getuid?.() === 0) return context.skip("root may read everything");
  const fixture = await makeTrackedTree();
  await fixture.sync([]);
  await writeFile(join(fixture.source, "secret"), "1\n");
  await chmod(join(fixture.source, "secret"), 0);
  await writeFile(join(fixture.source, "open"), "1\n");
  expect(await fixture.sync(["secret", "open"])).toBe(1);
  expect(fixture.troubles).toEqual([expect.stringContaining('secret" cannot be tracked')]);
});

it("says that a baseline was damaged, and goes on from the new content", async () => {
  const fixture = await makeTrackedTree();
  const file = join(fixture.source, "f");
  await writeFile(file, "1\n");
  await fixture.sync([]);
  await writeFile(join(fixture.backup, "current/job/copy/f"), "");
  await writeFile(file, "2\n");
  await fixture.sync(["f"]);
  expect(await fixture.changes()).toMatchObject([{ change: "modified", copy: null }]);
  expect(await fixture.log()).toContain("Note:    the previous copy was missing or damaged\n");
  await writeFile(file, "3\n");
  await fixture.sync(["f"]);
  expect(await fixture.log()).toContain("-2\n+3\n");
});
