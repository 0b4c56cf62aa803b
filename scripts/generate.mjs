// Writes the files that are made from the schema in the code, from the results of the benchmark and from the searches of
// the lock model. `--check` writes nothing, and fails when one of them is not current.
import { bin, runProgram } from "./run-program.mjs";

process.exitCode = await runProgram(bin("tsx"), ["scripts/write-generated.ts", ...process.argv.slice(2)]);
