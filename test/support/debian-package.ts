import { createHash } from "node:crypto";
import { copyFile, readdir, readFile, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { execa } from "execa";
import { findProgram } from "../../src/process/find-program.ts";
import type { BootedDebian } from "./booted-debian.ts";
import { ownDirectory } from "./debian-tree.ts";
import { projectRoot } from "./project-files.ts";

export const packagedVersion = "0.0.1";
/** Seconds since 1970. */
export const packagedAt = "1767225600";

/** All that goes into the package, or makes it. */
const inputs = [
  ...["dist", "docs", "resources", "systemd", "packaging", "scripts"],
  ...["package.json", "package-lock.json", ".npmrc", "README.md", "CHANGELOG.md", "LICENSE"],
];

/** Why no package can be built here, or undefined. */
export function whyNoPackage(): string | undefined {
  const wanted = ["dpkg-deb", "npm", "flock", "gzip"];
  const missing = wanted.filter((name) => findProgram(name, process.env["PATH"] ?? "") === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/**
 * The package of this tree, made from dist, which the script that runs the system tests has just made. The same sources
 * give the same bytes, so that of several tests on this machine only the first makes it; the others wait for that.
 */
export async function buildPackage(directory: string): Promise<string> {
  const cache = await ownDirectory();
  const name = `package-${await digestOf(inputs)}.deb`;
  const options = ["--built", "--compression", "fast", "--version", packagedVersion];
  const made = await execa(
    "flock",
    [join(cache, "package.lock"), "sh", "-euc", buildScript, "sh", cache, name, process.execPath, ...options],
    { cwd: projectRoot, all: true, reject: false, env: { SOURCE_DATE_EPOCH: packagedAt } },
  );
  if (made.exitCode !== 0) throw new Error(`the package cannot be built: ${made.all.slice(-2000)}`);
  await copyFile(join(cache, name), join(directory, "rsyncdirector.deb"));
  return join(directory, "rsyncdirector.deb");
}

const buildScript = `cache=$1 name=$2 node=$3
shift 3
find "$cache" -name 'package-*.deb' -mmin +1440 -delete
test ! -e "$cache/$name" || exit 0
out=$(mktemp -d "$cache/build-XXXXXX")
trap 'rm -rf "$out"' EXIT
"$node" scripts/package-deb.mjs "$@" --out "$out"
mv "$out"/*.deb "$cache/$name"`;

async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const path of paths) {
    const file = join(projectRoot, path);
    const names = (await stat(file)).isDirectory()
      ? (await readdir(file, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)))
      : [path];
    for (const name of names.toSorted()) {
      hash.update(`${name}\0`).update(await readFile(join(projectRoot, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Has apt of the machine install it; resolves to what that says. */
export async function installPackage(debian: BootedDebian, deb: string): Promise<string> {
  await execa("cp", [deb, join(debian.root, "var/tmp/rsyncdirector.deb")]);
  return debian.run("DEBIAN_FRONTEND=noninteractive apt-get install -y /var/tmp/rsyncdirector.deb 2>&1");
}

/** Its files with their modes, times and checksums, and the checksum of the whole. */
export async function describePackage(file: string): Promise<{ files: string[]; sha256: string }> {
  const [{ stdout: listed }, { stdout: sums }, { stdout: sum }] = await Promise.all([
    execa("dpkg-deb", ["--contents", file]),
    execa("dpkg-deb", ["--info", file, "md5sums"]),
    execa("sha256sum", [file]),
  ]);
  return { files: [...listed.split("\n"), ...sums.split("\n")], sha256: sum.split(" ")[0] ?? "" };
}

/** The same package under another version, as far as dpkg can tell. */
export async function repackage(file: string, version: string): Promise<string> {
  const tree = `${file}.tree`;
  await execa("dpkg-deb", ["-R", file, tree]);
  await execa("sed", ["-i", `s/^Version: .*/Version: ${version}/`, join(tree, "DEBIAN/control")]);
  await execa("dpkg-deb", ["-Znone", "--root-owner-group", "-b", tree, `${file}.new`]);
  await rm(tree, { recursive: true });
  return `${file}.new`;
}
