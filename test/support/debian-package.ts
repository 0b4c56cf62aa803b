import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "./project-files.ts";

/** Builds the package from dist, which the script that runs the system tests has just made. */
export async function buildPackage(directory: string, version: string): Promise<string> {
  const args = ["scripts/package-deb.mjs", "--built", "--compression", "fast", "--out", directory];
  const { stdout } = await execa(process.execPath, [...args, "--version", version], { cwd: projectRoot });
  return stdout.trim().split("\n").at(-1) ?? "";
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
