// Adds up vitest's JSON reports in a directory, and the steps that failed without one.
// usage: node scripts/sum-test-results.mjs DIRECTORY FAILED_STEPS
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const [directory, failedSteps] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of await readdir(directory)) {
  const report = JSON.parse(await readFile(join(directory, name), "utf8"));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
}
// A step can fail without a failed test: a check, a file that does not load, a crash of the runner.
if (total.failed === 0) total.failed = Number(failedSteps);
const skipped = total.skipped === 0 ? "" : `, ${total.skipped} skipped`;
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
