import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { buildSync, startAction } from "../support/run-action.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const token = "tokentokentokentoken-1";

describe("a sync whose writer is turned away", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await makeTempDir();
    await mkdir(join(directory, "source"));
  });

  /** Runs a program in the place of rsync that ends as rsync does when its other half is refused. */
  async function sync(script: string, holds = [{ hold: join(directory, "x.hold"), lock: undefined, token }]) {
    const bin = join(directory, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "rsync"), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, "rsync"), 0o755);
    const env = { PATH: `${bin}:${process.env["PATH"]}` };
    const action = buildSync({ sources: [join(directory, "source")], dest: join(directory, "dest") });
    // Whatever a job says about exit codes: nothing was written.
    const job = { exitCodes: new Map([[12, "ok" as const]]) };
    return startAction(action, { deps: { env }, job, holds }).outcome;
  }

  it.each([
    ["busy", true, /another writer still holds .*x\.hold \(its director may have died or been cut off\)/],
    ["lost", false, /the lock was lost/],
    ["unable", false, /the hold lock cannot be taken where it writes: .*x\.hold \(flock: not found\)/],
  ])("fails, because it was %s, as something that may pass: %s", async (why, retryable, message) => {
    const outcome = await sync(
      `echo 'flock: not found' >&2; echo 'RDHOLD ${why}' >&2; echo 'rsync error: x' >&2; exit 12`,
    );
    expect(outcome).toMatchObject({
      kind: "failed",
      cause: "exit",
      retryable,
      message: expect.stringMatching(message),
      report: { turnedAway: true, exitCode: 12 },
    });
  });

  it("is not taken for that because of a file name or of what is on standard output", async () => {
    const outcome = await sync("echo 'RDHOLD busy'; echo 'rsync: open \"RDHOLD busy\" failed' >&2; exit 12");
    expect(outcome).toMatchObject({ kind: "ok" });
  });

  it("is told as a missing program when there is no rsync at all, hold lock or not", async () => {
    const action = buildSync({ sources: [join(directory, "source")], dest: join(directory, "dest") });
    const deps = { env: { PATH: join(directory, "nothing") } };
    const holds = [{ hold: join(directory, "x.hold"), lock: undefined, token }];
    await expect(startAction(action, { deps, holds }).outcome).resolves.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("rsync could not be started"),
    });
  });
});
