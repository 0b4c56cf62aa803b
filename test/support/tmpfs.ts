import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { makeTempDir } from "./temp-dir.ts";

/** A small file system of its own for one test, or why there can be none here. */
export async function mountTmpfs(
  options: string,
): Promise<{ readonly directory: string; remount(options: string): Promise<void> } | { readonly why: string }> {
  const directory = join(await makeTempDir(), "tmpfs");
  await mkdir(directory);
  const mounted = await execa("mount", ["-t", "tmpfs", "-o", `${options},mode=0755`, "tmpfs", directory], {
    reject: false,
  });
  if (mounted.exitCode !== 0) return { why: `tmpfs cannot be mounted: ${mounted.stderr}` };
  onTestFinished(async () => void (await execa("umount", ["--lazy", directory])));
  return { directory, remount: async (how) => void (await execa("mount", ["-o", `remount,${how}`, directory])) };
}
