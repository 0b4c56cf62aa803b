// Writes the files that are made from the schema in the code. `--check` writes nothing, and fails when
// one of them is not current.
import { bin, runProgram } from "./run-program.mjs";

const script = process.argv.includes("--check") ? "scripts/check-generated.ts" : "scripts/generate-config-docs.ts";
process.exitCode = await runProgram(bin("tsx"), [script]);
