import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inspectConfig } from "../../../src/config/load.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function warningsFor(job: object, track: object | boolean): Promise<string[]> {
  const file = join(await makeTempDir(), "x.json");
  const action = { action: "sync", id: "s", source: "/srv/www/", dest: "/mnt/www", rsync: { archive: true } };
  const jobs = [{ id: "a", track_changes: track, actions: [action], ...job }];
  await writeFile(file, JSON.stringify({ rsync_id: "x", jobs }), { mode: 0o600 });
  const { problems, warnings } = await inspectConfig(file, { env: {} });
  expect(problems).toEqual([]);
  return warnings.map(({ path, message }) => `${path}: ${message}`);
}

const local = { type: "local" };
const remote = (direction: string) => ({ type: "remote", host: "backup01", direction });

describe("the files of change tracking", () => {
  it("should not lie in a source, which copies them", async () => {
    const track = { backup_dir: "/srv/www/.changes", log_file: "/srv/www2/log" };
    const warning =
      "jobs[0].track_changes.backup_dir: is inside the source /srv/www/: each sync would copy it; exclude it";
    expect(await warningsFor(local, track)).toEqual([warning]);
    expect(await warningsFor(remote("push"), track)).toEqual([warning]);
    expect(await warningsFor(remote("pull"), track)).toEqual([]);
  });

  it("should not lie at a destination on this host, where a sync may delete them", async () => {
    const track = { backup_dir: "/mnt", log_file: "/mnt/www/changes.log" };
    const warning =
      "jobs[0].track_changes.log_file: is inside /mnt/www: a sync that deletes would delete it; exclude it";
    expect(await warningsFor(local, track)).toEqual([warning]);
    expect(await warningsFor(remote("pull"), track)).toEqual([warning]);
    expect(await warningsFor(remote("push"), track)).toEqual([]);
  });

  it("may be anywhere else", async () => {
    expect(await warningsFor(local, true)).toEqual([]);
    expect(await warningsFor(local, { keep_last: 3 })).toEqual([]);
    expect(await warningsFor(local, { backup_dir: "/srv" })).toEqual([]);
  });
});
