import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { putCopy } from "./tree.mjs";

/** Debian's names of processors, and npm's. */
const cpus = { amd64: "x64", arm64: "arm64" };

/** What programs never read: types, maps of sources, texts for people, settings and scripts of other tools. */
const unread =
  /(\.d\.[cm]?ts|\.map|\.markdown|\.tsbuildinfo|\.html|\.sh)$|^(?!license)[^/]*\.md$|^\.(?!package-lock)|^tsconfig.*\.json$/i;
const unreadFolders = new Set("benchmark benchmarks docs example examples integration test tests __tests__".split(" "));

/** The program, its packages and the runtime, in a directory of their own. */
export function layOutProgram({ root, scratch, tree, arch }) {
  const home = join(tree, "usr/lib/rsyncdirector");
  mkdirSync(home, { recursive: true });
  // Its own units are where systemd looks; these go to hosts where it deploys the package of npm, which installs none.
  for (const folder of ["dist", "resources", "systemd"])
    cpSync(join(root, folder), join(home, folder), { recursive: true });
  putCopy(home, "package.json", join(root, "package.json"));
  installPackages(root, { into: join(scratch, "npm"), cpu: cpus[arch] });
  cpSync(join(scratch, "npm/node_modules"), join(home, "node_modules"), { recursive: true, verbatimSymlinks: true });
  prune(join(home, "node_modules"));
  beData(home);
  installPackages(join(root, "packaging/node"), { into: join(scratch, "node"), cpu: cpus[arch] });
  const runtime = join(scratch, "node/node_modules", `node-linux-${cpus[arch]}`);
  putCopy(home, "bin/node", join(runtime, "bin/node"), 0o755);
  putCopy(scratch, "node-license", join(runtime, "LICENSE"));
  putCopy(tree, "usr/bin/rsyncdirector", join(root, "packaging/debian/rsyncdirector.sh"), 0o755);
}

/** npm refuses whatever differs from the checksums of the lock file. */
function installPackages(from, { into, cpu }) {
  mkdirSync(into, { recursive: true });
  for (const file of ["package.json", "package-lock.json", ".npmrc"]) putCopy(into, file, join(from, file));
  const target = ["--os=linux", `--cpu=${cpu}`, "--libc=glibc"];
  // engine-strict speaks of the Node that builds, not of the one in the package.
  execFileSync(
    "npm",
    ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", ...target],
    {
      cwd: into,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
}

function prune(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const isPackage = entry.name.startsWith("@") || directory.endsWith("node_modules");
    if (entry.name === ".bin" || entry.name === ".package-lock.json") rmSync(path, { recursive: true });
    // npm leaves out other processors, but not other C libraries.
    else if (entry.name.endsWith("-musl") && isPackage) rmSync(path, { recursive: true });
    else if (entry.isDirectory() && !isPackage && unreadFolders.has(entry.name)) rmSync(path, { recursive: true });
    else if (entry.isDirectory()) prune(path);
    else if (unread.test(entry.name)) rmSync(path);
  }
}

/**
 * No file in here is a program that is started by its name: the wrapper names the runtime. The first line of a script
 * becomes a comment, so that nothing seems to need another one, and lines keep their numbers.
 */
function beData(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) beData(path);
    else if (entry.isFile()) {
      chmodSync(path, 0o644);
      if (!/\.[cm]?js$|^[^.]+$/.test(entry.name)) continue;
      const text = readFileSync(path, "utf8");
      if (text.startsWith("#!")) writeFileSync(path, `//${text.slice(2)}`);
    }
  }
}
