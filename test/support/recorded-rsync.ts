import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "../../src/process/find-program.ts";
import { makeTempDir } from "./temp-dir.ts";

/** What an rsync of a sync that is split is there for. */
export type CallKind = "look here" | "look there" | "dest" | "part" | "last";

export interface RecordedRsync {
  /** With this PATH a script stands in rsync's place. */
  readonly env: { readonly PATH: string };
  /** The calls so far, in the order in which they began. */
  readonly calls: () => Promise<CallKind[]>;
}

/**
 * Notes each rsync that is started on this side. `script` (of `sh`) is run before it; it has `$rsync`, the program, and
 * `$kind`, one of the kinds.
 */
export async function recordRsync(script = ""): Promise<RecordedRsync> {
  const directory = await makeTempDir();
  const file = join(directory, "calls");
  await writeFile(file, "");
  const lines = [
    "#!/bin/sh",
    `rsync=${findProgram("rsync", process.env["PATH"] ?? "")}`,
    'case "$*" in',
    "  *--dry-run*/proc/0/nowhere) kind='look here' ;;",
    "  *--dry-run*) kind='look there' ;;",
    "  *--exclude=\\**) kind=dest ;;",
    "  *--files-from=-*) kind=part ;;",
    "  *) kind=last ;;",
    "esac",
    `echo "$kind" >>'${file}'`,
    script,
    'exec "$rsync" "$@"',
    "",
  ];
  await writeFile(join(directory, "rsync"), lines.join("\n"));
  await chmod(join(directory, "rsync"), 0o755);
  return {
    env: { PATH: `${directory}:${process.env["PATH"]}` },
    calls: async () => (await readFile(file, "utf8")).split("\n").filter((line) => line !== "") as CallKind[],
  };
}
