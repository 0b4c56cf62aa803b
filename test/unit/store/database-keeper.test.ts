import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DatabaseKeeper, type HistoryState } from "../../../src/store/database-keeper.ts";
import { loadLibsqlDriver } from "../../../src/store/libsql-driver.ts";
import type { SqlDriver } from "../../../src/store/sql-database.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function newKeeper(options: { path?: string; loadDriver?: () => Promise<SqlDriver> } = {}) {
  const path = options.path ?? join(await makeTempDir(), "state", "h.db");
  const { loadDriver = loadLibsqlDriver } = options;
  const clock = new FakeClock();
  const log = createMemoryLog();
  const states: HistoryState[] = [];
  const keeper = new DatabaseKeeper({ path, loadDriver, clock, log, onState: (state) => states.push(state) });
  onTestFinished(() => keeper.close());
  return { keeper, path, clock, log, states };
}

function result(jobId: string) {
  return {
    bytes: 100,
    apply: (database: Parameters<Parameters<DatabaseKeeper["attempt"]>[0]>[0]) =>
      void database.run("INSERT OR REPLACE INTO last_results VALUES (?, '', 'ok', 1, 1)", jobId),
  };
}

const stored = (keeper: DatabaseKeeper) =>
  keeper.attempt((database) => database.all("SELECT job_id FROM last_results ORDER BY 1").map((row) => row["job_id"]));

test("makes the directory and the file, and lets only owner and group read them", async () => {
  const { keeper, path, states } = await newKeeper();
  await keeper.start();
  expect((statSync(path).mode & 0o777).toString(8)).toBe("640");
  expect(keeper.state).toEqual({ ok: true, detail: "" });
  expect(states).toEqual([]);
});

test("uses a rollback journal, full synchronisation and foreign keys", async () => {
  const { keeper } = await newKeeper();
  await keeper.start();
  const pragma = (name: string) =>
    keeper.attempt((database) => Object.values(database.all(`PRAGMA ${name}`)[0] ?? {})[0]);
  expect(["journal_mode", "synchronous", "foreign_keys", "auto_vacuum", "busy_timeout"].map(pragma)).toEqual([
    ...["truncate", 2, 1, 2, 1000],
  ]);
});

test("gathers changes for a moment, then writes them together", async () => {
  const { keeper, clock, path } = await newKeeper();
  await keeper.start();
  const size = statSync(path).mtimeMs;
  keeper.write(result("a"));
  keeper.write(result("b"));
  expect(statSync(path).mtimeMs).toBe(size);
  await clock.advance(250);
  expect(stored(keeper)).toEqual(["a", "b"]);
});

test("loses nothing of more changes at once than it would keep", async () => {
  const { keeper, log } = await newKeeper();
  await keeper.start();
  for (let number = 0; number < 2500; number += 1) keeper.write(result(`job${number}`));
  expect(stored(keeper)).toHaveLength(2500);
  expect(log.messages("warn")).toEqual([]);
});

test("a directory in place of the file stops nothing, and what waited is written once it is gone", async () => {
  const { keeper, path, clock, log, states } = await newKeeper();
  mkdirSync(path, { recursive: true });
  await keeper.start();
  keeper.write(result("a"));
  expect(stored(keeper)).toBeUndefined();
  expect(states.map(({ ok }) => ok)).toEqual([false]);
  rmSync(path, { recursive: true });
  await clock.advance(70_000);
  expect(stored(keeper)).toEqual(["a"]);
  expect(states.map(({ ok }) => ok)).toEqual([false, true]);
  expect(log.messages("error")).toEqual(["history cannot be written, jobs run on"]);
});

test("a pipe in place of the file, or of its journal, stops nothing", async () => {
  for (const suffix of ["", "-journal"]) {
    const path = join(await makeTempDir(), "h.db");
    execFileSync("mkfifo", [path + suffix]);
    const { keeper } = await newKeeper({ path });
    await keeper.start();
    expect(keeper.state).toEqual({ ok: false, detail: expect.stringContaining("is not a regular file") });
  }
});

test("a lock that another process holds delays nothing but the writing", async () => {
  const { keeper, path, clock } = await newKeeper();
  await keeper.start();
  const other = (await loadLibsqlDriver()).open(path, { readOnly: false, busyTimeoutMs: 0 });
  other.exec("BEGIN EXCLUSIVE");
  keeper.write(result("a"));
  keeper.flush();
  expect(keeper.state).toMatchObject({ ok: false, detail: "database is locked" });
  other.exec("COMMIT");
  await clock.advance(2000);
  expect(stored(keeper)).toEqual(["a"]);
});

test.each([
  ["at the start", true],
  ["while it is open", false],
])("garbage in the file %s is moved aside and a new history begins", async (_when, before) => {
  const { keeper, path, log } = await newKeeper();
  const garble = () => writeFileSync(path, Buffer.alloc(64 * 1024, 0xab), { flag: before ? "w" : "r+" });
  if (before) {
    mkdirSync(join(path, ".."), { recursive: true });
    garble();
    writeFileSync(`${path}-journal`, "stale");
  }
  await keeper.start();
  if (!before) garble();
  keeper.write(result("a"));
  keeper.flush();
  expect(stored(keeper)).toEqual(["a"]);
  const names = readdirSync(join(path, ".."));
  expect(names.filter((name) => /^h\.db\.corrupt-20260301T000000Z$/.test(name))).toHaveLength(1);
  expect(log.messages("error")).toEqual(["history was damaged, starting a new one"]);
});

test("a file that was removed or replaced under the open connection is noticed", async () => {
  const { keeper, path, log } = await newKeeper();
  await keeper.start();
  keeper.write(result("old"));
  keeper.flush();
  renameSync(path, `${path}.moved`);
  keeper.write(result("new"));
  keeper.flush();
  expect(stored(keeper)).toEqual(["new"]);
  expect(log.messages("warn")).toContain("history file was replaced, opening the new one");
});

test("a schema of a newer version is not touched", async () => {
  const { keeper, path } = await newKeeper();
  await keeper.start();
  keeper.attempt((database) => database.exec("PRAGMA user_version = 99"));
  const later = await newKeeper({ path });
  await later.keeper.start();
  expect(later.keeper.state.detail).toContain("its schema (99) is newer");
  expect(existsSync(path)).toBe(true);
});

test("a change that can never be written does not hold up the others", async () => {
  const { keeper, log, states } = await newKeeper();
  await keeper.start();
  keeper.write(result("a"));
  keeper.write({
    bytes: 1,
    apply: (database) => void database.run("INSERT INTO last_results VALUES (NULL, '', 1, 1, 1)"),
  });
  keeper.write(result("b"));
  keeper.flush();
  expect(stored(keeper)).toEqual(["a", "b"]);
  expect(log.messages("error")).toEqual(["history entry dropped"]);
  expect(states).toEqual([]);
});

test("keeps a bounded many changes in memory and says how many were lost", async () => {
  const { keeper, path, clock, log } = await newKeeper();
  mkdirSync(path, { recursive: true });
  await keeper.start();
  for (let number = 0; number < 2100; number += 1) keeper.write(result(`job${number}`));
  rmSync(path, { recursive: true });
  await clock.advance(70_000);
  expect(stored(keeper)).toHaveLength(2000);
  const told = log.lines.find(({ message }) => message === "history is written again");
  expect(told?.fields["lost"]).toBe(100);
});

test("without SQLite for this machine everything else goes on", async () => {
  const loadDriver = () => Promise.reject(new Error("no binary for this processor"));
  const { keeper, clock, states } = await newKeeper({ loadDriver });
  await keeper.start();
  keeper.write(result("a"));
  await clock.advance(100_000);
  expect(keeper.attempt(() => 1)).toBeUndefined();
  expect(states).toEqual([{ ok: false, detail: "SQLite cannot be loaded: no binary for this processor" }]);
});

test("a directory that cannot be made stops nothing", async () => {
  const file = join(await makeTempDir(), "file");
  writeFileSync(file, "");
  const { keeper } = await newKeeper({ path: join(file, "below", "h.db") });
  await keeper.start();
  keeper.write(result("a"));
  expect(keeper.state.ok).toBe(false);
});
