import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inspectConfig } from "../../../src/config/load.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

type Draft = Record<string, unknown> & { source: string; dest: string };

const mirror = { archive: true, delete: true };

/** A job for each sync, named `job-0` and so on; keys of jobs stand beside those of their sync. */
async function warningsFor(...syncs: readonly Draft[]): Promise<string[]> {
  return warningsWith({}, ...syncs);
}

async function warningsWith(keys: object, ...syncs: readonly Draft[]): Promise<string[]> {
  const file = join(await makeTempDir(), "x.json");
  const jobs = syncs.map(({ source, dest, rsync = mirror, opts = [], ...job }, index) => ({
    ...{ id: `job-${index}`, type: "local", actions: [{ action: "sync", id: "copy", source, dest, rsync, opts }] },
    ...job,
  }));
  await writeFile(file, JSON.stringify({ rsync_id: "x", jobs, ...keys }), { mode: 0o600 });
  const { problems, warnings } = await inspectConfig(file, { env: {} });
  expect(problems).toEqual([]);
  return warnings.map(({ path, message }) => `${path}: ${message}`);
}

const data = { source: "/srv/data/", dest: "/backup" };
const dumps = { source: "/var/dumps/", dest: "/backup/dumps", rsync: { archive: true } };
const lost = (path = "/backup/dumps") => [
  `jobs[0].actions[0].dest: holds ${path}, to which job job-1 copies, and this sync deletes what its own source has not: exclude it by name`,
];

describe("a sync that deletes around the destination of another", () => {
  it("is warned of, whichever comes first", async () => {
    expect(await warningsFor(data, dumps)).toEqual(lost());
    expect(await warningsFor({ ...data, rsync: { archive: true }, opts: ["--del"] }, dumps)).toEqual(lost());
    expect(
      await warningsFor({ ...data, source: "/srv/disk", dest: "/mnt" }, { ...dumps, dest: "/mnt/disk/d" }),
    ).toEqual(lost("/mnt/disk/d"));
    expect(await warningsFor(data, { ...dumps, source: "/var/dumps", dest: "/backup/" })).toEqual(lost());
  });

  it("is warned of when both copy to the same place", async () => {
    expect(await warningsFor(data, { ...dumps, dest: "/backup/" })).toEqual(lost("/backup"));
    expect(await warningsFor(data, data)).toEqual([]);
  });

  it("is right where it deletes nothing of the other's", async () => {
    for (const harmless of [
      { ...data, rsync: { archive: true } },
      { ...data, rsync: { ...mirror, exclude: ["/dumps/"] } },
      { ...data, rsync: { ...mirror, delete_excluded: true, filter: ["P /dumps/"] } },
      { ...data, opts: ["--exclude-from=/etc/excludes"] },
      { ...data, dest: "/backup/dump" },
      { ...data, enabled: false },
    ]) {
      expect(await warningsFor(harmless, dumps)).toEqual([]);
    }
    expect(
      await warningsFor({ ...data, rsync: { ...mirror, delete_excluded: true, exclude: ["dumps"] } }, dumps),
    ).toEqual(lost());
    expect(await warningsFor(data, { ...dumps, source: "/srv/data/dumps/" })).toEqual([]);
  });

  it("counts only on the same host", async () => {
    const push = { type: "remote", host: "backup01" };
    expect(await warningsFor({ ...data, ...push }, dumps)).toEqual([]);
    expect(await warningsFor({ ...data, ...push }, { ...dumps, ...push })).toEqual(lost());
    expect(await warningsFor(data, { ...dumps, ...push, direction: "pull" })).toEqual(lost());
    expect(await warningsFor(data, { ...dumps, ...push, host: "localhost" })).toEqual(lost());
    expect(await warningsFor(data, { ...dumps, ...push, host: "localhost", port: 2222 })).toEqual([]);
    const there = { ...data, ...push };
    expect(await warningsFor(there, { ...dumps, ...push, port: 22 })).toEqual(lost());
    expect(await warningsFor({ ...there, port: "022" }, { ...dumps, ...push })).toEqual(lost());
    expect(await warningsFor({ ...there, port: "2222" }, { ...dumps, ...push, port: 2222 })).toEqual(lost());
    expect(await warningsFor(there, { ...dumps, ...push, port: 2222 })).toEqual([]);
    expect(await warningsFor(data, { ...dumps, ...push, host: "localhost", port: 22 })).toEqual(lost());
    const targets = [{ host: "backup01", dest: "/backup/dumps" }, { host: "backup02" }];
    const several = { source: "/var/dumps/", dest: "/other", rsync: { archive: true }, type: "remote", targets };
    expect(await warningsFor({ ...data, ...push }, several)).toEqual(lost());
  });

  it("takes the port of the configuration for that of a host without one", async () => {
    const push = { type: "remote", host: "backup01" };
    const [outer, inner] = [
      { ...data, ...push },
      { ...dumps, ...push },
    ];
    const ssh = { port: 2222 };
    expect(await warningsWith({ ssh }, outer, { ...inner, port: 2222 })).toEqual(lost());
    expect(await warningsWith({ ssh }, outer, { ...inner, port: 22 })).toEqual([]);
    expect(await warningsWith({ ssh }, data, { ...inner, host: "localhost" })).toEqual([]);
  });
});
