import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { openHistory } from "../../src/store/open-history.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { emitRun, newEvents, report } from "../support/history-samples.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** A filesystem of so many bytes, or null where this process may not mount one. */
async function mountSmall(bytes: number): Promise<string | null> {
  const path = join(await makeTempDir(), "small");
  await mkdir(path);
  const { exitCode } = await execa("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", path], { reject: false });
  if (exitCode !== 0) return null;
  onTestFinished(async () => void (await execa("umount", ["-l", path])));
  return path;
}

test("jobs run on while the disk is full, and their runs are in the history when there is space again", async ({
  skip,
}) => {
  const disk = await mountSmall(1024 * 1024);
  if (disk === null) return skip("this process may not mount a tmpfs");
  const events = newEvents();
  const clock = new FakeClock();
  const log = createMemoryLog();
  const states: boolean[] = [];
  events.on("history:state", ({ ok }) => states.push(ok));
  const retention = { keepRuns: 1000, keepMs: 86_400_000 };
  const history = await openHistory({ file: join(disk, "history.db"), retention, events, clock, log });

  await writeFile(join(disk, "filler"), randomBytes(900_000));
  const output = randomBytes(60_000).toString("base64");
  for (let number = 1; number <= 10; number += 1) {
    emitRun(events, {
      runId: `r${number}`,
      at: number,
      jobs: [{ id: "a", action: { kind: "ok", report: report({ output }) } }],
    });
  }
  expect(history.state().ok).toBe(false);
  expect(history.ledger.claim("a", 1, null)).toBe(true);
  await clock.advance(10_000);
  expect(history.state().ok).toBe(false);

  await rm(join(disk, "filler"));
  await clock.advance(120_000);
  expect(history.state()).toEqual({ ok: true, detail: "" });
  expect(history.query((ask) => ask.listRuns({ limit: 100 }))).toHaveLength(10);
  expect(history.query((ask) => ask.readOutput("r10", "a", { actionId: "copy", targetId: "", attempt: 1 }))).toBe(
    output,
  );
  expect(states).toEqual([false, true]);
  expect(log.messages("error")).toEqual(["history cannot be written, jobs run on"]);
  history.close();
});

test("a disk that is full from the first moment does not keep the director from starting", async ({ skip }) => {
  const disk = await mountSmall(64 * 1024);
  if (disk === null) return skip("this process may not mount a tmpfs");
  await writeFile(join(disk, "filler"), randomBytes(64 * 1024));
  const events = newEvents();
  const retention = { keepRuns: 1000, keepMs: 86_400_000 };
  const file = join(disk, "state", "history.db");
  const history = await openHistory({ file, retention, events, clock: new FakeClock(), log: createMemoryLog() });
  emitRun(events, { runId: "r1", at: 1, jobs: [{ id: "a" }] });
  expect(history.state().ok).toBe(false);
  expect(history.lastJobResults()).toEqual([]);
  history.close();
});

test("garbage written over the history while the director runs costs the history, not a run", async () => {
  const directory = await makeTempDir();
  const file = join(directory, "history.db");
  const events = newEvents();
  const retention = { keepRuns: 1000, keepMs: 86_400_000 };
  const history = await openHistory({ file, retention, events, clock: new FakeClock(), log: createMemoryLog() });
  for (let number = 1; number <= 20; number += 1)
    emitRun(events, { runId: `old${number}`, at: number, jobs: [{ id: "a" }] });
  const pages = Math.ceil((await stat(file)).size / 4096);
  await execa("dd", ["if=/dev/urandom", `of=${file}`, "bs=4096", `count=${pages}`, "conv=notrunc"]);
  emitRun(events, { runId: "new", at: 100, jobs: [{ id: "a" }] });
  expect(history.query((ask) => ask.readRun("new"))).toMatchObject({ outcome: "ok", jobs: [{ jobId: "a" }] });
  expect((await readdir(directory)).filter((name) => name.includes(".corrupt-"))).not.toHaveLength(0);
  history.close();
});
