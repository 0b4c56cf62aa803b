import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "../../src/process/find-program.ts";
import { waitUntil } from "./process-state.ts";
import { makeTempDir } from "./temp-dir.ts";

/** A sleep(1) that lasts until the test ends it. */
export interface HeldSleep {
  /** The directory that it is in, for a PATH. */
  readonly bin: string;
  /** Resolves when somebody sleeps. */
  begun(): Promise<void>;
  end(): Promise<void>;
}

export async function holdSleep(): Promise<HeldSleep> {
  const bin = await makeTempDir();
  const [begun, over] = [join(bin, "begun"), join(bin, "over")];
  const sleep = findProgram("sleep", process.env["PATH"] ?? "");
  await writeFile(join(bin, "sleep"), `#!/bin/sh\n: >'${begun}'\nuntil [ -e '${over}' ]; do ${sleep} 0.02; done\n`);
  await chmod(join(bin, "sleep"), 0o755);
  return {
    bin,
    begun: () => waitUntil("somebody sleeps", () => existsSync(begun)),
    end: () => writeFile(over, ""),
  };
}
