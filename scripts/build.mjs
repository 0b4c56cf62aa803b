import { copyFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundleProgram } from "./bundle-program.mjs";
import { bin, root, runProgram } from "./run-program.mjs";

const dist = join(root, "dist");
const fresh = join(root, `.dist-${process.pid}`);

/** The status page: its scripts run in a browser and are compiled for one; its style and pictures lie beside them. */
const page = "src/web/page";
const scripts = join(fresh, "web/page/client");

// Made beside it and put in its place: dist is whole or the old one, and a file that was renamed in src does not live
// on in it.
try {
  const statuses = await Promise.all([
    compile("tsconfig.build.json"),
    compile(`${page}/client/tsconfig.json`, "--noEmit", "false", "--outDir", scripts),
    bundle(),
  ]);
  const status = Math.max(...statuses);
  if (status === 0) {
    for (const name of await readdir(join(root, page, "assets"))) {
      await copyFile(join(root, page, "assets", name), join(scripts, name));
    }
    await rm(dist, { recursive: true, force: true });
    await rename(fresh, dist);
  }
  process.exitCode = status;
} finally {
  await rm(fresh, { recursive: true, force: true });
}

function compile(project, ...options) {
  return runProgram(bin("tsc"), ["-p", project, ...options]);
}

async function bundle() {
  try {
    await bundleProgram(fresh);
    return 0;
  } catch (error) {
    console.error(error.message);
    return 1;
  }
}
