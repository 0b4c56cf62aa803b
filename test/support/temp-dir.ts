import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory of its own that is removed when the test (or the suite's hook) that asked for it ends. */
export async function makeTempDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "rsyncdirector-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
