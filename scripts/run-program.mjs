import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

/** The program of an installed npm package, e.g. `bin("vitest")`. */
export function bin(name) {
  return join(root, "node_modules", ".bin", name);
}

/** Runs a program with our own input and output; resolves to its exit status (1 when a signal ended it). */
export async function runProgram(file, args, options = {}) {
  const child = spawn(file, args, { cwd: root, stdio: "inherit", ...options });
  const [code] = await once(child, "exit");
  return code ?? 1;
}

/** As `runProgram`, but silent: resolves to the status and everything it wrote. */
export async function captureProgram(file, args) {
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  const [code] = await once(child, "close");
  return { status: code ?? 1, output: Buffer.concat(chunks).toString("utf8") };
}
