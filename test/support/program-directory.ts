import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A PATH that finds every program that PATH finds, but one. */
export async function programsWithout(name: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "rsyncdirector-path-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const seen = new Set([name]);
  for (const place of (process.env["PATH"] ?? "").split(":")) {
    for (const program of await readdir(place).catch(() => [])) {
      if (seen.has(program)) continue;
      seen.add(program);
      await symlink(join(place, program), join(directory, program));
    }
  }
  return directory;
}
