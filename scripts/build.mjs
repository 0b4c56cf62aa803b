import { existsSync } from "node:fs";
import { chmod, copyFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { bin, root, runProgram } from "./run-program.mjs";

const dist = join(root, "dist");
const fresh = join(root, `.dist-${process.pid}`);

/** The status page: its scripts run in a browser and are compiled for one; its style and pictures lie beside them. */
const page = "src/web/page";
const scripts = join(fresh, "web/page/client");

// Compiled beside it and put in its place: dist is whole or the old one, and a file that was renamed
// in src does not live on in it.
try {
  const status =
    (await compile("tsconfig.build.json", fresh)) || (await compile(`${page}/client/tsconfig.json`, scripts));
  if (status === 0) {
    for (const name of await readdir(join(root, page, "assets"))) {
      await copyFile(join(root, page, "assets", name), join(scripts, name));
    }
    const main = join(fresh, "main.js");
    if (existsSync(main)) await chmod(main, 0o755);
    await rm(dist, { recursive: true, force: true });
    await rename(fresh, dist);
  }
  process.exitCode = status;
} finally {
  await rm(fresh, { recursive: true, force: true });
}

function compile(project, outDir) {
  return runProgram(bin("tsc"), ["-p", project, "--noEmit", "false", "--outDir", outDir]);
}
