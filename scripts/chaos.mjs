// Builds the program and lets everything go wrong around it: `npm run chaos -- --minutes 10 [--seed N]`.
// `--check DIRECTORY` judges the history of an earlier run again.
import { runProgram } from "./run-program.mjs";
import { hostTools, labTools, missingTools } from "./tools.mjs";

const missing = missingTools([...hostTools, ...labTools]);
const isRoot = process.getuid() === 0;

if (process.argv.includes("--check")) {
  await judge();
} else if (missing.length > 0 || !isRoot) {
  const why = isRoot ? `not installed here: ${missing.join(", ")}` : "only root may make network namespaces";
  console.log(`SKIPPED chaos: ${why}`);
} else {
  process.exitCode = await runProgram(process.execPath, ["scripts/build.mjs"]);
  if (process.exitCode === 0) await judge();
}

async function judge() {
  const { tsImport } = await import("tsx/esm/api");
  await tsImport("../test/chaos/run.ts", import.meta.url);
}
