import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadLibsqlDriver } from "../../../src/store/libsql-driver.ts";
import { SqlError, sqlFailureOf, type SqlDatabase, type SqlValue } from "../../../src/store/sql-database.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function openNew(name = "test.db"): Promise<{ path: string; open: (readOnly?: boolean) => SqlDatabase }> {
  const path = join(await makeTempDir(), name);
  writeFileSync(path, "");
  const driver = await loadLibsqlDriver();
  return { path, open: (readOnly = false) => driver.open(path, { readOnly, busyTimeoutMs: 50 }) };
}

function failureOf(call: () => unknown): string {
  try {
    call();
    return "none";
  } catch (error) {
    return error instanceof SqlError ? error.code : "another error";
  }
}

test.each([["text"], ["\u{1F600} 'quoted' \" \\"], [0], [-1.5], [2 ** 53 - 1], [null], [new Uint8Array([0, 1, 255])]])(
  "gives %j back as it was stored",
  async (value) => {
    const database = (await openNew()).open();
    database.exec("CREATE TABLE t (v)");
    database.run("INSERT INTO t VALUES (?)", value);
    expect(database.all("SELECT v FROM t")).toEqual([{ v: value }]);
  },
);

test("stores text with NUL whole", async () => {
  const database = (await openNew()).open();
  expect(database.all("SELECT ? AS v", "a\0b")).toEqual([{ v: "a\uFFFDb" }]);
});

test("refuses a boolean, on which libsql would abort the process", async () => {
  const database = (await openNew()).open();
  expect(() => database.all("SELECT ?", true as unknown as SqlValue)).toThrow(TypeError);
});

test("rolls a transaction back when the work throws", async () => {
  const database = (await openNew()).open();
  database.exec("CREATE TABLE t (v)");
  const work = () => {
    database.run("INSERT INTO t VALUES (1)");
    throw new Error("stop");
  };
  expect(() => database.transaction(work)).toThrow("stop");
  expect(database.all("SELECT * FROM t")).toEqual([]);
  expect(database.transaction(() => 7)).toBe(7);
});

test("opens paths with characters that mean something in a URI", async () => {
  const { open } = await openNew("a b?c#d%20ü'.db");
  const database = open();
  database.exec("CREATE TABLE t (v)");
  expect(open(true).all("SELECT count(*) AS n FROM t")).toEqual([{ n: 0 }]);
});

test("a reader cannot write", async () => {
  const { open } = await openNew();
  open().exec("CREATE TABLE t (v)");
  expect(failureOf(() => open(true).exec("DELETE FROM t"))).toBe("SQLITE_READONLY");
});

test("a finished query of a reader does not lock the writer out", async () => {
  const { open } = await openNew();
  const writer = open();
  writer.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2)");
  const reader = open(true);
  expect(reader.all("SELECT * FROM t")).toHaveLength(2);
  expect(failureOf(() => writer.run("INSERT INTO t VALUES (3)"))).toBe("none");
});

test("names SQLite's failures and sorts them by what can be done", async () => {
  const { path, open } = await openNew();
  const driver = await loadLibsqlDriver();
  expect(failureOf(() => driver.open(`${path}-none`, { readOnly: false, busyTimeoutMs: 0 }))).toBe("SQLITE_CANTOPEN");
  expect(failureOf(() => open().exec("nonsense"))).toBe("SQLITE_ERROR");
  writeFileSync(path, "x".repeat(5000));
  expect(failureOf(() => open().all("SELECT * FROM sqlite_master"))).toBe("SQLITE_NOTADB");
  const sorted = ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_BUSY", "SQLITE_READONLY_DBMOVED", "SQLITE_CANTOPEN"];
  expect(sorted.map((code) => sqlFailureOf(new SqlError(code, "")))).toEqual(sorted.map(() => "unavailable"));
  expect(sqlFailureOf(new SqlError("SQLITE_CORRUPT_VTAB", ""))).toBe("damaged");
  expect(sqlFailureOf(new SqlError("SQLITE_CONSTRAINT", ""))).toBe("unexpected");
  expect(sqlFailureOf(new Error("bug"))).toBe("unexpected");
});
