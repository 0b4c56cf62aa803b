import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Results } from "../../bench/results.ts";
import { projectRoot } from "../support/project-files.ts";

const trialFile = join(projectRoot, "bench", "results", "trial.json");
const kept = ["bench/results/latest.json", "docs/performance.md"];

function runBench(rows: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const args = ["--import", "tsx", join(projectRoot, "bench", "run.ts"), ...rows];
  return spawnSync(process.execPath, args, { cwd: projectRoot, encoding: "utf8", env: { ...process.env, ...env } });
}

function readKept(): (string | undefined)[] {
  const paths = kept.map((path) => join(projectRoot, path));
  return paths.map((path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined));
}

it("tries a row out: really measured, once, and not kept", { timeout: 300_000 }, () => {
  const before = readKept();
  const startedAt = Date.now();
  const { status, stdout, stderr } = runBench(["lock-poll"], { BENCH_ROUNDS: "1" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("these figures are for trying the rows, and are not kept");
  expect(stdout).toMatch(
    /^(met {3}|MISSED) {2}poll of 100 locks that somebody holds at 40 ms ÷ TCP round trip: [\d.]+ {2}bar ≤ 2$/m,
  );
  expect(stdout).toMatch(/lock-poll took \d+ s\n\n[012] of 2 bars met/);
  const row = (JSON.parse(readFileSync(trialFile, "utf8")) as Results).rows.find(({ name }) => name === "lock-poll");
  expect(Date.parse(row?.date ?? "")).toBeGreaterThanOrEqual(startedAt);
  expect(row?.figures.map(({ measured }) => measured.values.length)).toEqual([1, 1]);
  expect(readKept()).toEqual(before);
});

it("names all rows when one is asked for that there is not", { timeout: 300_000 }, () => {
  const { status, stdout, stderr } = runBench(["idle", "lock-pole"]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^bench: there is no row lock-pole\. There are:\n(.*\n)*lock-poll\n/);
});
