// Everything that can be said about the code without running the product, in one command. Every step
// runs, also after one has failed; only a failed one is shown in full. The formatter takes as long as all
// others together, so they run beside it.
import { bin, captureProgram, root } from "./run-program.mjs";
import { findShellScripts } from "./shell-scripts.mjs";
import { findTool } from "./tools.mjs";

const ownTests = ["test/architecture.test.ts", "test/documents.test.ts", "test/repository.test.ts"];

const steps = [
  { name: "types", command: [bin("tsc"), "-p", "tsconfig.json"] },
  { name: "types of the page's scripts", command: [bin("tsc"), "-p", "src/web/page/client/tsconfig.json"] },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"] },
  { name: "format", command: [bin("prettier"), "--check", "--cache", "--log-level=warn", "."] },
  { name: "unused code", command: [bin("knip"), "--no-progress"] },
  { name: "generated files", command: [process.execPath, "scripts/generate.mjs", "--check"] },
  { name: "architecture", command: [bin("vitest"), "run", "--project=unit", "--reporter=dot", ...ownTests] },
  await shellStep(),
];

let failed = 0;
const isLong = ({ name }) => name === "format";
const runAll = async (some) => {
  for (const step of some) if (!(await passes(step))) failed += 1;
};
await Promise.all([runAll(steps.filter(isLong)), runAll(steps.filter((step) => !isLong(step)))]);
console.log(failed === 0 ? "check: everything passed" : `check: ${failed} of ${steps.length} steps failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function passes({ name, command, skip }) {
  if (skip !== undefined) {
    console.log(`- ${name}: skipped, ${skip}`);
    return true;
  }
  const startedAt = performance.now();
  const [file, ...args] = command;
  const { status, output } = await captureProgram(file, args);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? "✓" : "✗"} ${name} (${seconds} s)`);
  if (status !== 0) console.log(`${output.trimEnd()}\n`);
  return status === 0;
}

async function shellStep() {
  const name = "shell scripts";
  const shellcheck = findTool("shellcheck");
  if (shellcheck === undefined) return { name, skip: "shellcheck is not installed" };
  const scripts = await findShellScripts(root);
  return scripts.length === 0 ? { name, skip: "there are none" } : { name, command: [shellcheck, ...scripts] };
}
