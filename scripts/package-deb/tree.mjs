import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes a file of the package; `path` as it will be on the host, without the first slash. */
export function put(tree, path, content, mode = 0o644) {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

export function putCopy(tree, path, source, mode = 0o644) {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(source, file);
  chmodSync(file, mode);
}

/**
 * As policy wants manual pages and changelogs: compressed as well as can be, and without name or time inside. Not by
 * Node's zlib, whose output depends on the processor.
 */
export function putCompressed(tree, path, content) {
  put(tree, `${path}.gz`, execFileSync("gzip", ["-9", "--no-name"], { input: content, maxBuffer: 64 * 1024 * 1024 }));
}
