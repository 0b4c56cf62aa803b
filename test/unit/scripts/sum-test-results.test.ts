import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../support/project-files.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function sum(reports: readonly [passed: number, failed: number, skipped: number][], failedSteps: number) {
  const directory = await makeTempDir();
  for (const [index, [numPassedTests, numFailedTests, numPendingTests]] of reports.entries()) {
    const report = { numPassedTests, numFailedTests, numPendingTests, numTodoTests: 0 };
    writeFileSync(join(directory, `${index}.json`), JSON.stringify(report));
  }
  const script = join(projectRoot, "scripts", "sum-test-results.mjs");
  const result = spawnSync(process.execPath, [script, directory, String(failedSteps)], { encoding: "utf8" });
  return { line: result.stdout, status: result.status };
}

it.each([
  [
    "adds up the reports",
    [
      [10, 0, 0],
      [5, 0, 0],
    ],
    0,
    "15 passed, 0 failed\n",
    0,
  ],
  [
    "says what was skipped",
    [
      [10, 0, 2],
      [5, 0, 1],
    ],
    0,
    "15 passed, 0 failed, 3 skipped\n",
    0,
  ],
  ["fails with a failed test", [[10, 2, 0]], 1, "10 passed, 2 failed\n", 1],
  ["counts a step that failed without a failed test", [[10, 0, 0]], 1, "10 passed, 1 failed\n", 1],
  ["does not call nothing a success", [], 0, "0 passed, 0 failed\n", 1],
] as const)("%s", async (_title, reports, failedSteps, line, status) => {
  expect(
    await sum(
      reports.map(([passed, failed, skipped]) => [passed, failed, skipped]),
      failedSteps,
    ),
  ).toEqual({ line, status });
});
