import { existsSync } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { bin, root, runProgram } from "./run-program.mjs";

const dist = join(root, "dist");
const fresh = join(root, `.dist-${process.pid}`);

// Compiled beside it and put in its place: dist is whole or the old one, and a file that was renamed
// in src does not live on in it.
try {
  const status = await runProgram(bin("tsc"), ["-p", "tsconfig.build.json", "--outDir", fresh]);
  if (status === 0) {
    const main = join(fresh, "main.js");
    if (existsSync(main)) await chmod(main, 0o755);
    await rm(dist, { recursive: true, force: true });
    await rename(fresh, dist);
  }
  process.exitCode = status;
} finally {
  await rm(fresh, { recursive: true, force: true });
}
