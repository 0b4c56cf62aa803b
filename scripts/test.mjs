// Runs the test projects named (all but `system` when none is), and says what cannot run here and why.
// Further arguments go to vitest: `npm test -- test/unit/lock -t "withdraws"`.
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bin, root, runProgram } from "./run-program.mjs";
import { hostTools, missingTools } from "./tools.mjs";

/** `hosts`: its tests talk to real sshd's and rsyncs. `built`: they start the program from dist. */
const projects = {
  unit: {},
  contract: { hosts: true },
  integration: { hosts: true },
  "end-to-end": { hosts: true, built: true },
  system: { hosts: true, built: true },
};

const args = process.argv.slice(2);
const rest = args.filter((arg) => !(arg in projects));
const named = args.filter((arg) => arg in projects);
const wanted = named.length > 0 ? named : Object.keys(projects).filter((name) => name !== "system");

const missing = missingTools(hostTools);
const runnable = wanted.filter((name) => !projects[name].hosts || missing.length === 0);
for (const name of wanted) {
  if (!runnable.includes(name)) console.log(`SKIPPED all ${name} tests: not installed here: ${missing.join(", ")}`);
}
process.exitCode = runnable.length === 0 ? 0 : await runTests();

async function runTests() {
  if (runnable.some((name) => projects[name].built)) {
    const status = await runProgram(process.execPath, ["scripts/build.mjs"]);
    if (status !== 0) return status;
  }
  const results = process.env.TEST_RESULTS_DIR ?? join(root, ".test-results");
  await mkdir(results, { recursive: true });
  return runProgram(bin("vitest"), [
    "run",
    ...runnable.map((name) => `--project=${name}`),
    // Tests mostly wait for other programs, so more of the quick ones run at a time than there are processors.
    `--maxWorkers=${runnable.includes("system") ? 2 : 2 * availableParallelism()}`,
    "--reporter=default",
    "--reporter=json",
    "--reporter=./scripts/skipped-tests-reporter.mjs",
    `--outputFile.json=${join(results, `${runnable.join("+")}.json`)}`,
    ...rest,
  ]);
}
