import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadLibsqlDriver } from "../../../src/store/libsql-driver.ts";
import { migrate, migrateTo, readSchemaVersion, schemaVersion } from "../../../src/store/migrations.ts";
import { createRunHistory, readLastResults } from "../../../src/store/run-history.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function openEmpty() {
  const path = join(await makeTempDir(), "h.db");
  writeFileSync(path, "");
  const database = (await loadLibsqlDriver()).open(path, { readOnly: false, busyTimeoutMs: 1000 });
  onTestFinished(() => database.close());
  database.exec("PRAGMA foreign_keys = ON");
  return database;
}

test("what was recorded before there were several targets is kept, for no target", async () => {
  const database = await openEmpty();
  migrateTo(database, 2);
  database.exec(`
    INSERT INTO runs VALUES (1, 'r1', '{"kind":"signal"}', '["a"]', 1, 9, 'ok', NULL, 'none:1:1');
    INSERT INTO jobs VALUES (1, 1, 'a', 1, 9, 'ok', NULL, NULL, NULL, NULL);
    INSERT INTO actions (id, job, action_id, attempt, started_at, finished_at, outcome, argv, exit_code, sent_bytes)
      VALUES (7, 1, 'copy', 1, 2, 8, 'failed', '["rsync"]', 12, 5), (8, 1, 'copy', 2, 2, 8, 'ok', '["rsync"]', 0, 6);
    INSERT INTO outputs VALUES (8, 3, x'616263');
    INSERT INTO last_results VALUES ('a', 'ok', 9, 9);
  `);
  migrate(database);
  expect(readSchemaVersion(database)).toBe(schemaVersion);
  expect(readLastResults(database)).toEqual([
    { jobId: "a", targetId: "", outcome: "ok", finishedAt: 9, lastSuccessAt: 9 },
  ]);
  expect(createRunHistory(database, () => false).readRun("r1")?.jobs[0]?.actions).toMatchObject([
    { actionId: "copy", targetId: "", attempt: 1, outcome: "failed", exitCode: 12, hasOutput: false },
    { actionId: "copy", targetId: "", attempt: 2, stats: { sentBytes: 6 }, hasOutput: true },
  ]);
  // What belongs to a run still goes with it.
  database.run("DELETE FROM runs");
  const left = ["actions", "outputs"].map((table) => database.all(`SELECT * FROM ${table}`).length);
  expect(left).toEqual([0, 0]);
});

test("a new database has the same tables as one that was brought up to date", async () => {
  const [fresh, old] = [await openEmpty(), await openEmpty()];
  migrate(fresh);
  for (let version = 1; version <= schemaVersion; version += 1) migrateTo(old, version);
  const tablesOf = (database: typeof fresh) =>
    database.all("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  expect(tablesOf(old)).toEqual(tablesOf(fresh));
  expect(tablesOf(fresh).some(({ name }) => String(name).endsWith("_of_targets"))).toBe(false);
});
