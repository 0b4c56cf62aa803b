import { beforeEach, describe, expect, it } from "vitest";
import { resolveTrackChanges } from "../../src/config/resolve-watch.ts";
import { makeWatchedSync } from "../support/watched-sync.ts";
import type { WatchedSync } from "../support/watched-sync.ts";

const trackChanges = resolveTrackChanges(true, "/root");

describe("what a sync has changed", () => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync("/usr/bin/rsync");
    await sync.fill("source", ["new", "dir/changed", "same"]);
    await sync.fill("dest", ["dir/changed"], "old");
  });

  const named = (changes: readonly { operation: string; path: string }[]) =>
    changes.filter(({ path }) => path !== "." && path !== "dir").map(({ operation, path }) => `${operation} ${path}`);

  it("is told where the job tracks changes, and the output stays as it was", async () => {
    const { outcome, changes, lines } = sync.full({ job: { trackChanges } });
    await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { output: expect.not.stringContaining(">f") } });
    expect(named(changes)).toEqual(["received new", "received same", "received dir/changed"]);
    expect(changes.find(({ path }) => path === "dir/changed")).toMatchObject({ isNew: false, kind: "file" });
    expect(lines.filter((line) => line.includes(">f"))).toEqual([]);
  });

  it.each([[["-i"]], [["-v"]], [["-ii"]], [["-avvi"]]])("is told beside the output that %j asks for", async (opts) => {
    const { outcome, changes, lines } = sync.carry(
      { changed: ["new", "dir/changed"] },
      { job: { trackChanges }, action: { opts } },
    );
    await outcome;
    expect(named(changes).toSorted()).toEqual(["received dir/changed", "received new"]);
    expect(lines.some((line) => line.includes("dir/changed"))).toBe(true);
  });

  it("is told for rsync's own itemising too, and not without it", async () => {
    const first = sync.full({ dryRun: true, action: { opts: ["-i"] } });
    await first.outcome;
    const second = sync.carry({ changed: ["new"] });
    await second.outcome;
    const third = sync.full({ action: { rsync: { archive: true, itemizeChanges: true } } });
    await third.outcome;
    expect([first, second, third].map(({ changes }) => named(changes))).toEqual([
      [],
      [],
      ["received same", "received dir/changed"],
    ]);
  });

  it("cannot be told when an option hides it, which is logged", async () => {
    const warnings: unknown[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (fields: unknown) => warnings.push(fields),
      child: () => log,
    };
    const { outcome, changes, lines } = sync.full({
      log,
      job: { trackChanges },
      action: { opts: ["--out-format=<%n>"] },
    });
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect([changes, warnings]).toEqual([[], [{ option: "--out-format" }]]);
    expect(lines).toContain("stdout: <new>");
  });
});
