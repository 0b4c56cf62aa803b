import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { makeWatchedSync } from "../support/watched-sync.ts";

it("a hundred thousand changed paths are one list for one rsync", async () => {
  const sync = await makeWatchedSync("/usr/bin/rsync");
  await mkdir(join(sync.source, "many"));
  await execa("sh", ["-c", "seq -f many/%06g 100000 | xargs touch"], { cwd: sync.source });
  const changed = Array.from({ length: 100_000 }, (_, index) => `many/${String(index + 1).padStart(6, "0")}`);
  await expect(sync.carry({ changed }).outcome).resolves.toMatchObject({
    kind: "ok",
    report: { stats: { filesTransferred: 100_000 } },
  });
  expect(await sync.started()).toBe(1);
});

it("twenty thousand deletions are exact", async () => {
  const sync = await makeWatchedSync("/usr/bin/rsync");
  await sync.fill("source", ["many/"]);
  await mkdir(join(sync.dest, "many"));
  await execa("sh", ["-c", "seq -f many/%06g 40000 | xargs touch"], { cwd: sync.dest });
  const deleted = Array.from({ length: 20_000 }, (_, index) => `many/${String(2 * index + 1).padStart(6, "0")}`);
  const { outcome } = sync.carry({ deleted }, { guard: { nonEmpty: false }, watch: { deleteWatched: true } });
  await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { stats: { filesDeleted: 20_000 } } });
  expect(await sync.started()).toBe(1);
});
