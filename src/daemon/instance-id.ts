import { randomUUID } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../base/atomic-file.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A name for this installation that survives restarts and is written into its locks, so that it can
 * tell later which locks are its own. Without a place to keep it a new one is made at each start.
 */
export async function readInstanceId(file: string, log: Logger): Promise<string> {
  const found = (await readRegularFile(file).catch(() => "")).trim();
  if (uuid.test(found)) return found;
  const id = randomUUID();
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o750 });
    await writeFileAtomically(file, `${id}\n`, { mode: 0o640 });
  } catch (error) {
    log.warn({ file, error: describeError(error) }, "the instance id cannot be kept");
  }
  return id;
}

/** A pipe in its place would be read for ever. */
async function readRegularFile(file: string): Promise<string> {
  return (await stat(file)).isFile() ? readFile(file, "utf8") : "";
}
