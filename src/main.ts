#!/usr/bin/env node
import { runProgram } from "./cli/program.ts";

// A reader that goes away (`| head`, a closed terminal, a full disk) costs lines, never a job or its locks.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

// Ends also when somebody does not read our output: everything that matters has been closed by now.
process.exit(await runProgram(process.argv.slice(2)));
