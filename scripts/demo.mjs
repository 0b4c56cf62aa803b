// Builds the program and runs the demo with it; arguments are the demo's own (`--keep`).
import { runProgram } from "./run-program.mjs";
import { hostTools, missingTools } from "./tools.mjs";

const missing = missingTools(hostTools);

if (missing.includes("rsync")) {
  console.error("demo: rsync is not installed, and nothing can be shown without it");
  process.exitCode = 1;
} else {
  if (missing.length > 0) {
    console.log(`demo: not installed: ${missing.join(", ")}; so the three hosts are three directories, without ssh`);
    process.argv.push("--local");
  }
  process.exitCode = await runProgram(process.execPath, ["scripts/build.mjs"]);
  if (process.exitCode === 0) {
    const { tsImport } = await import("tsx/esm/api");
    await tsImport("./demo/run.ts", import.meta.url);
  }
}
