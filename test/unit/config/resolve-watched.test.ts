import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveWatch } from "../../../src/config/resolve-watch.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/resolved.ts";
import { copyFixtures, fixtureEnv } from "../../support/config-fixtures.ts";

async function load(kind: string, name: string): Promise<Config> {
  const { config } = await loadConfig(join(await copyFixtures(kind), name), { env: fixtureEnv });
  return config;
}

describe("resolveConfig on watched jobs", () => {
  test("reads each key in each of its forms", async () => {
    const [all] = (await load("valid", "watched.yaml")).jobs;
    expect(all?.watch).toEqual({
      paths: ["/srv/www/shop", "/home/tester/site"],
      debounceMs: 500,
      maxDelayMs: 90_000,
      maxBatch: 500,
      extensions: [".html", ".css"],
      include: ["*.keep.tmp"],
      exclude: ["*.tmp", "/cache/"],
      fullSyncIntervalMs: 7_200_000,
      fullSyncThreshold: 700,
      onStart: "none",
      deleteWatched: true,
      deleteOnFull: true,
    });
    expect(all?.guard).toEqual({
      requirePaths: [".mounted", "/mnt/disk/.here"],
      nonEmpty: false,
      maxDelete: 100,
      maxDeletePercent: 10,
    });
    expect(all?.trackChanges).toEqual({
      backupDir: "/home/tester/changes",
      logFile: "/var/log/www-changes.log",
      diffTool: "diff",
      maxFileSize: 1.5 * 1024 ** 2,
      logMaxSize: 500 * 1024,
      logKeep: 2,
      keepLast: 3,
      keepMs: 1.5 * 86_400_000,
      maxSize: 2 * 1024 ** 3,
    });
  });

  test("fills in the defaults: all sources, with the endings that the syncs take", async () => {
    const [, byDefault] = (await load("valid", "watched.yaml")).jobs;
    expect(byDefault?.watch).toEqual({
      paths: ["/a", "/b"],
      debounceMs: 5000,
      maxDelayMs: 60_000,
      maxBatch: 10_000,
      extensions: [".rrd", ".txt"],
      include: [],
      exclude: [],
      fullSyncIntervalMs: 3_600_000,
      fullSyncThreshold: 20_000,
      onStart: "full",
      deleteWatched: false,
      deleteOnFull: false,
    });
    expect(byDefault?.trackChanges).toBeUndefined();
    expect(byDefault?.guard).toMatchObject({ nonEmpty: false, maxDelete: 100 });
  });

  test("watches for every ending if csync2 is in the job, which takes all", () => {
    const sync = { action: "sync" as const, id: "txt", source: "/a", dest: "/b", extensions: [".txt"] };
    const csync2 = { action: "csync2" as const, id: "all", path: "/c" };
    const job = { id: "both", type: "local" as const, watch: {}, actions: [sync, csync2] };
    expect(resolveWatch(job, "/home/tester")).toMatchObject({ paths: ["/a", "/c"], extensions: [] });
    expect(resolveWatch({ ...job, actions: [sync] }, "/home/tester")).toMatchObject({ extensions: [".txt"] });
  });

  test("watches for every ending if one of the syncs takes all, or if the watch says so", async () => {
    const [, , allEndings, someEndings] = (await load("valid", "watched.yaml")).jobs;
    expect(allEndings).toMatchObject({
      watch: { extensions: [], deleteWatched: true, deleteOnFull: false },
      trackChanges: undefined,
    });
    expect(someEndings).toMatchObject({
      watch: { extensions: [], deleteWatched: false, deleteOnFull: true },
      guard: { nonEmpty: true },
      trackChanges: { diffTool: "builtin", keepLast: 10 },
    });
  });
});
