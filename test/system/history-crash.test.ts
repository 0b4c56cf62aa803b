import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadLibsqlDriver } from "../../src/store/libsql-driver.ts";
import { openHistory, readHistory } from "../../src/store/open-history.ts";
import { bundleScript } from "../support/bundled-script.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { newEvents } from "../support/history-samples.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const writer = await bundleScript(join(import.meta.dirname, "../fixtures/history/record-runs.ts"));

/** Lets a real writer work and kills it after some runs; returns the ids that it said were recorded. */
async function writeAndKill(file: string, prefix: string, afterRuns: number, delayMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, file, prefix], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.split("\n").length > afterRuns) setTimeout(() => child.kill("SIGKILL"), delayMs);
  });
  await once(child, "close");
  return text.split("\n").slice(0, -1);
}

test("no run that was recorded is lost when the director is killed twenty times", async () => {
  const file = join(await makeTempDir(), "history.db");
  const acknowledged: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    const written = await writeAndKill(file, `round${round}`, 5 + (round % 7), round % 5);
    expect(written.length).toBeGreaterThan(4);
    acknowledged.push(...written);
    const reader = await readHistory(file);
    const known = new Map(reader?.listRuns({ limit: 100_000 }).map((run) => [run.runId, run.outcome]));
    expect(acknowledged.filter((runId) => known.get(runId) !== "ok")).toEqual([]);
    reader?.close();
  }
  const database = (await loadLibsqlDriver()).open(file, { readOnly: false, busyTimeoutMs: 1000 });
  expect(database.all("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  expect(database.all("PRAGMA foreign_key_check")).toEqual([]);
  database.close();
});

test("a run that a crash interrupted is called failed, not running", async () => {
  const file = join(await makeTempDir(), "history.db");
  await writeAndKill(file, "first", 3, 0);
  const driver = await loadLibsqlDriver();
  const database = driver.open(file, { readOnly: false, busyTimeoutMs: 1000 });
  database.exec("UPDATE runs SET outcome = NULL, finished_at = NULL WHERE run_id = 'first-1'");
  database.exec("UPDATE jobs SET outcome = NULL WHERE run = (SELECT id FROM runs WHERE run_id = 'first-1')");
  database.close();

  const reader = await readHistory(file);
  expect(reader?.readRun("first-1")).toMatchObject({ outcome: "failed", jobs: [{ outcome: "failed" }] });
  reader?.close();

  const log = createMemoryLog();
  const retention = { keepRuns: 1000, keepMs: 86_400_000 };
  const history = await openHistory({ file, retention, events: newEvents(), clock: new FakeClock(), log });
  const run = history.query((ask) => ask.readRun("first-1"));
  expect(run).toMatchObject({ outcome: "failed", finishedAt: null });
  expect(run?.message).toContain("interrupted");
  expect(log.lines.map(({ fields }) => fields["run"])).toContain("first-1");
  history.close();
});

test("a history whose writer died in the middle of a write can be read, without what was not finished", async () => {
  const directory = await makeTempDir();
  const file = join(directory, "history.db");
  await writeAndKill(file, "first", 10, 0);
  const database = (await loadLibsqlDriver()).open(file, { readOnly: false, busyTimeoutMs: 1000 });
  database.all("PRAGMA journal_mode = TRUNCATE");
  database.exec('PRAGMA cache_size = 1; BEGIN; UPDATE runs SET cause = \'{"kind":"spilled"}\'');
  database.exec("UPDATE outputs SET gzip = randomblob(100000)");
  // What a power cut would leave: pages of an unfinished transaction, and the journal that undoes them.
  const copy = join(directory, "copy.db");
  copyFileSync(file, copy);
  copyFileSync(`${file}-journal`, `${copy}-journal`);
  database.exec("ROLLBACK");
  database.close();
  expect(statSync(`${copy}-journal`).size).toBeGreaterThan(512);

  const reader = await readHistory(copy);
  const causes = new Set(reader?.listRuns({ limit: 1000 }).map((run) => run.cause.kind));
  expect([...causes]).toEqual(["signal"]);
  reader?.close();
});
