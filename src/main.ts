#!/usr/bin/env node
import { runProgram } from "./cli/program.ts";

const outputs = [process.stdout, process.stderr];
// A reader that goes away (`| head`, a closed terminal, a full disk) costs lines, never a job or its locks.
for (const stream of outputs) stream.on("error", () => undefined);

const args = process.argv.slice(2);
const exitStatus = await runProgram(args);
// Everything else that matters has been closed by now. Of a command's output nothing is lost to a reader that takes its
// time; the director has waited long enough for the reader of its log, who may never read again.
if (!isDirector()) await Promise.all(outputs.map(takenBySomebody));
process.exit(exitStatus);

function isDirector(): boolean {
  return args[0] === "start" || args.length === 0;
}

/** Node writes to a pipe without waiting, and forgets at its end what did not fit into it. */
function takenBySomebody(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write("", () => resolve()));
}
