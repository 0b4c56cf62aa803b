#!/usr/bin/env node
import { runProgram } from "./cli/program.ts";

// Ends also when somebody does not read our output: everything that matters has been closed by now.
process.exit(await runProgram(process.argv.slice(2)));
