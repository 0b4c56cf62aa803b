// Builds rsyncdirector_VERSION_ARCH.deb: the program, its npm packages and the Node.js runtime, so that a host needs
// nothing but Debian. The same sources and versions give the same bytes.
//   node scripts/package-deb.mjs [--arch amd64|arm64] [--out DIRECTORY] [--compression xz|gzip|zstd|fast]
//   [--version VERSION] [--built]   (--built: dist is up to date)
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildArchive } from "./package-deb/archive.mjs";
import { layOutDocuments } from "./package-deb/documents.mjs";
import { layOutProgram } from "./package-deb/program.mjs";
import { layOutService } from "./package-deb/service.mjs";
import { root, runProgram } from "./run-program.mjs";

const { values } = parseArgs({
  options: {
    arch: { type: "string", default: process.arch === "arm64" ? "arm64" : "amd64" },
    out: { type: "string", default: root },
    compression: { type: "string", default: "xz" },
    version: { type: "string", default: JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version },
    built: { type: "boolean", default: false },
  },
});
if (!["amd64", "arm64"].includes(values.arch)) {
  console.error(`package-deb: --arch ${values.arch}: must be one of amd64, arm64`);
  process.exit(1);
}
process.exitCode = await makePackage();

async function makePackage() {
  if (!values.built) {
    const status = await runProgram(process.execPath, ["scripts/build.mjs"]);
    if (status !== 0) return status;
  }
  const scratch = mkdtempSync(join(tmpdir(), "rsyncdirector-deb-"));
  // What others may not write to here, they may not there.
  process.umask(0o022);
  try {
    const { arch, version, compression } = values;
    const build = { root, scratch, tree: join(scratch, "tree"), arch, version, epoch: sourceEpoch() };
    layOutProgram(build);
    layOutService(build);
    await layOutDocuments(build);
    const file = join(resolve(values.out), `rsyncdirector_${version}_${arch}.deb`);
    buildArchive(build, { file, compression });
    console.log(file);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Seconds since 1970: SOURCE_DATE_EPOCH, else the time of the last commit, else a fixed one. */
function sourceEpoch() {
  if (process.env.SOURCE_DATE_EPOCH !== undefined) return Number(process.env.SOURCE_DATE_EPOCH);
  try {
    const text = execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
    return Number(text.toString());
  } catch {
    return Date.UTC(2026, 0, 1) / 1000;
  }
}
