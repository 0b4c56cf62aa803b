import { bin, runProgram } from "./run-program.mjs";

process.exitCode = await runProgram(bin("prettier"), ["--write", "--log-level=warn", "."]);
