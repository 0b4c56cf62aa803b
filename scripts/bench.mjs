// Builds the program and measures it; arguments are the names of rows (all when there is none).
import { runProgram } from "./run-program.mjs";
import { findTool } from "./tools.mjs";

if (findTool("rsync") === undefined) {
  console.error("bench: rsync is not installed");
  process.exitCode = 1;
} else {
  process.exitCode = await runProgram(process.execPath, ["scripts/build.mjs"]);
  if (process.exitCode === 0) {
    const { tsImport } = await import("tsx/esm/api");
    await tsImport("../bench/run.ts", import.meta.url);
  }
}
