import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const mebibyte = 1024 * 1024;

/** What people have in their homes: large and empty files, odd names, links, directories with nothing in them. */
export function makeSources(tree: string): void {
  const path = (name: string) => join(tree, name);
  for (const name of ["anna/documents", "ben/pictures", "ben/empty"]) mkdirSync(path(name), { recursive: true });
  writeFileSync(path("ben/pictures/large"), randomBytes(8 * mebibyte));
  writeFileSync(path("anna/documents/odd\tname\nof a file"), "odd\n");
  writeFileSync(path("anna/documents/empty"), "");
  writeFileSync(path("anna/tool"), "#!/bin/sh\n");
  chmodSync(path("anna/tool"), 0o755);
  symlinkSync("../ben/pictures/large", path("anna/link"));
  changeSources(tree, 0);
}

/** A file is written anew, one is added, the one added before is moved, and the one moved before is removed. */
export function changeSources(tree: string, round: number): void {
  const path = (name: string) => join(tree, name);
  writeFileSync(path("anna/documents/changes"), randomBytes(2 * mebibyte));
  writeFileSync(path(`anna/documents/added-${round}`), randomBytes(100_000));
  if (round > 0) renameSync(path(`anna/documents/added-${round - 1}`), path(`ben/moved-${round}`));
  rmSync(path(`ben/moved-${round - 1}`), { force: true });
  execFileSync("chown", ["--recursive", "--no-dereference", "rsyncdirector:rsyncdirector", tree]);
}
