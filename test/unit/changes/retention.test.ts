import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeTrackedTree } from "../../support/tracked-tree.ts";

const day = 86_400_000;

/** Gives each file a content of this size that is never the same again. */
async function rewrite(source: string, names: readonly string[], round: number, size: number): Promise<void> {
  for (const name of names) await writeFile(join(source, name), `${round}`.padEnd(size, "."));
}

describe("previous copies", () => {
  it("are kept so many of each file, the newest", async () => {
    const fixture = await makeTrackedTree({ settings: { keepLast: 2 } });
    for (let round = 0; round < 5; round += 1) {
      await rewrite(fixture.source, ["a", "b"], round, 10);
      await fixture.sync(round === 0 ? [] : round === 4 ? ["a"] : ["a", "b"]);
    }
    expect(await fixture.files("versions")).toEqual([
      ...["run-3/job/copy/b", "run-4/job/copy/a", "run-4/job/copy/b", "run-5/job/copy/a"],
    ]);
    expect((await fixture.changes({ path: "a" })).map(({ copy }) => copy !== null)).toEqual([true, true, false, false]);
    expect((await readdir(join(fixture.backup, "versions"))).toSorted()).toEqual(["run-3", "run-4", "run-5"]);
  });

  it("go when they are too old", async () => {
    const clock = new FakeClock();
    const fixture = await makeTrackedTree({ clock, settings: { keepMs: 7 * day } });
    for (let round = 0; round < 4; round += 1) {
      await rewrite(fixture.source, ["a"], round, 10);
      await fixture.sync(round === 0 ? [] : ["a"]);
      await clock.advance(4 * day);
    }
    expect(await fixture.files("versions")).toEqual(["run-3/job/copy/a", "run-4/job/copy/a"]);
  });

  it("go, the oldest first, when they are too much together", async () => {
    const fixture = await makeTrackedTree({ settings: { maxSize: 2500 } });
    for (let round = 0; round < 5; round += 1) {
      await rewrite(fixture.source, ["a"], round, 1000);
      await fixture.sync(round === 0 ? [] : ["a"]);
    }
    expect(await fixture.files("versions")).toEqual(["run-4/job/copy/a", "run-5/job/copy/a"]);
  });

  it("go all where none is wanted, but never a baseline, and differences are made all the same", async () => {
    const fixture = await makeTrackedTree({ settings: { keepLast: 0, maxSize: 0, keepMs: 0 } });
    for (let round = 0; round < 3; round += 1) {
      await rewrite(fixture.source, ["a"], round, 10);
      await fixture.sync(round === 0 ? [] : ["a"]);
    }
    expect(await fixture.files("versions")).toEqual([]);
    expect(await fixture.files("current")).toEqual(["job/copy/a"]);
    expect(await fixture.log()).toContain("-1.........\n");
  });

  it("that somebody removed are no trouble", async () => {
    const fixture = await makeTrackedTree({ settings: { keepLast: 1 } });
    for (let round = 0; round < 4; round += 1) {
      await rewrite(fixture.source, ["a"], round, 10);
      await fixture.sync(round === 0 ? [] : ["a"]);
      await rm(join(fixture.backup, "versions"), { recursive: true, force: true });
    }
    expect(fixture.troubles).toEqual([]);
  });
});

describe("a ledger", () => {
  it("that was damaged is moved aside, and the baselines still tell what changed", async () => {
    const fixture = await makeTrackedTree();
    await writeFile(join(fixture.source, "a"), "one\n");
    await fixture.sync([]);
    await fixture.tracker.close();
    await writeFile(join(fixture.backup, "ledger.db"), "this is no database".repeat(100));
    await writeFile(join(fixture.source, "a"), "one\ntwo\n");
    await fixture.sync([]);
    await fixture.sync(["a"]);
    expect(await fixture.changes()).toMatchObject([{ change: "modified", addedLines: 1 }]);
    expect((await readdir(fixture.backup)).some((name) => name.startsWith("ledger.db.corrupt-"))).toBe(true);
    expect(await readFile(join(fixture.backup, "versions/run-3/job/copy/a"), "utf8")).toBe("one\n");
  });

  it("that another instance writes is left alone", async () => {
    const fixture = await makeTrackedTree();
    await fixture.sync([]);
    const { openChangeLedger } = await import("../../../src/store/open-change-ledger.ts");
    const options = { instance: "other", now: 0, onDamaged: () => undefined };
    await expect(openChangeLedger(join(fixture.backup, "ledger.db"), options)).rejects.toThrow(
      'belongs to another instance, "test"',
    );
  });

  it("tells that it cannot be written, and is used again when it can", async (context) => {
    if (process.getuid?.() === 0) return context.skip("root may write everywhere");
    const fixture = await makeTrackedTree();
    await chmod(fixture.directory, 0o500);
    await expect(fixture.sync([])).rejects.toThrow("EACCES");
    await chmod(fixture.directory, 0o700);
    expect(await fixture.sync([])).toBe(0);
  });
});
