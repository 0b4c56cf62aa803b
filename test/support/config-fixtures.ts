import { cpSync, readdirSync } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeTempDir } from "./temp-dir.ts";

/** Variables that fixtures may refer to; the loader sees no others. */
export const fixtureEnv = { HOME: "/home/tester" } as const;

const fixtures = fileURLToPath(new URL("../fixtures/config/", import.meta.url));

/** Names of the configurations of one kind: `valid`, `invalid` or `legacy`. */
export function fixtureNames(kind: string): string[] {
  return readdirSync(join(fixtures, kind)).filter((name) => /\.(?:yaml|json)$/.test(name));
}

/**
 * A private copy of all fixtures of one kind: the loader judges owner and mode of files, and a checkout
 * may have any.
 */
export async function copyFixtures(kind: string): Promise<string> {
  const directory = await makeTempDir();
  cpSync(join(fixtures, kind), directory, { recursive: true });
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
  return directory;
}

/** The message that belongs to a bad configuration; undefined if nobody has written it down yet. */
export function expectedMessage(name: string): Promise<string | undefined> {
  const file = join(fixtures, "invalid", name.replace(/\.yaml$/, ".expected.txt"));
  return readFile(file, "utf8").then(
    (text) => text.trimEnd(),
    () => undefined,
  );
}
