import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DatabaseKeeper } from "../../../src/store/database-keeper.ts";
import { loadLibsqlDriver } from "../../../src/store/libsql-driver.ts";
import { createScheduleLedger, pruneScheduleLedger } from "../../../src/store/schedule-ledger.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function open(path: string) {
  const clock = new FakeClock();
  const options = { path, loadDriver: loadLibsqlDriver, clock, log: createMemoryLog(), onState: () => undefined };
  const keeper = new DatabaseKeeper(options);
  onTestFinished(() => keeper.close());
  await keeper.start();
  return { keeper, clock, ledger: createScheduleLedger(keeper) };
}

test("a time can be claimed once, also after a restart", async () => {
  const path = join(await makeTempDir(), "h.db");
  const { ledger, keeper } = await open(path);
  expect(ledger.lastScheduled("home", Number.MAX_SAFE_INTEGER)).toBeNull();
  expect(ledger.claim("home", 1000, null)).toBe(true);
  expect(ledger.claim("home", 1000, null)).toBe(false);
  expect(ledger.claim("mail", 1000, null)).toBe(true);
  keeper.close();
  const again = await open(path);
  expect(again.ledger.claim("home", 1000, null)).toBe(false);
  expect(again.ledger.claim("home", 500, null)).toBe(true);
  expect(again.ledger.lastScheduled("home", Number.MAX_SAFE_INTEGER)).toBe(1000);
  expect(again.ledger.lastScheduled("home", 999)).toBe(500);
});

test("a local time that comes twice in autumn can be claimed once", async () => {
  const path = join(await makeTempDir(), "h.db");
  const { ledger, keeper } = await open(path);
  expect(ledger.claim("home", 1000, "2026-10-25 02:30")).toBe(true);
  expect(ledger.claim("home", 3_601_000, "2026-10-25 02:30")).toBe(false);
  keeper.close();
  expect((await open(path)).ledger.claim("home", 3_601_000, "2026-10-25 02:30")).toBe(false);
});

test("claims made while the database does not work are kept in memory and written later", async () => {
  const path = join(await makeTempDir(), "h.db");
  mkdirSync(path);
  const { ledger, keeper, clock } = await open(path);
  expect(ledger.claim("home", 1000, "label")).toBe(true);
  expect(ledger.claim("home", 1000, null)).toBe(false);
  expect(ledger.claim("home", 2000, "label")).toBe(false);
  expect(ledger.lastScheduled("home", Number.MAX_SAFE_INTEGER)).toBe(1000);
  rmSync(path, { recursive: true });
  await clock.advance(70_000);
  keeper.close();
  expect((await open(path)).ledger.claim("home", 1000, null)).toBe(false);
});

test("old claims are forgotten, but not the last one of a schedule", async () => {
  const { ledger, keeper } = await open(join(await makeTempDir(), "h.db"));
  const day = 86_400_000;
  for (const [key, at] of [
    ["a", 1],
    ["a", 2],
    ["a", 100],
    ["b", 1],
    ["c", 10],
  ] as const)
    ledger.claim(key, at * day, null);
  keeper.attempt((database) => pruneScheduleLedger(database, 101 * day));
  const left = keeper.attempt((database) =>
    database.all("SELECT key, scheduled_for / 86400000 AS day FROM schedule_ledger"),
  );
  expect(left?.map((row) => `${row["key"]}${row["day"]}`)).toEqual(["a100", "b1", "c10"]);
});

test("what a clock far ahead has left does not take the place of the last one of a schedule", async () => {
  const { ledger, keeper } = await open(join(await makeTempDir(), "h.db"));
  const day = 86_400_000;
  for (const at of [1, 2, 4000]) ledger.claim("yearly", at * day, null);
  keeper.attempt((database) => pruneScheduleLedger(database, 101 * day));
  const left = keeper.attempt((database) => database.all("SELECT scheduled_for FROM schedule_ledger ORDER BY 1"));
  expect(left?.map((row) => row["scheduled_for"])).toEqual([2 * day, 4000 * day]);
});
