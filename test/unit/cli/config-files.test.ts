import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findConfigFiles } from "../../../src/cli/config-files.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function place(...names: string[]): Promise<string> {
  const directory = await makeTempDir();
  for (const name of names) await writeFile(join(directory, name), "");
  return directory;
}

test("NAME=FILE names the host of a file, by several names and ports too", async () => {
  const directory = await place("a.yaml", "b.yaml");
  const found = await findConfigFiles([`nas,nas.lan:2201=${join(directory, "a.yaml")}`, join(directory, "b.yaml")]);
  expect(found).toEqual([
    { file: join(directory, "a.yaml"), hosts: ["nas", "nas.lan:2201"] },
    { file: join(directory, "b.yaml"), hosts: [] },
  ]);
});

test("a directory is its *.yaml and *.yml, a pattern what it matches, and each file comes once", async () => {
  const directory = await place("b.yml", "a.yaml", ".hidden.yaml", "note.txt", "odd=name.yaml");
  await symlink(join(directory, "a.yaml"), join(directory, "link.yaml"));
  const files = async (...words: string[]) =>
    (await findConfigFiles(words)).map(({ file }) => file.slice(directory.length + 1));
  expect(await files(directory)).toEqual(["a.yaml", "b.yml", "odd=name.yaml"]);
  expect(await files(join(directory, "*.y*ml"), join(directory, "a.yaml"))).toEqual([
    "a.yaml",
    "b.yml",
    "odd=name.yaml",
  ]);
  expect(await files(join(directory, "odd=name.yaml"))).toEqual(["odd=name.yaml"]);
  await expect(findConfigFiles([await place("note.txt")])).rejects.toThrow("there is no *.yaml or *.yml");
  await expect(findConfigFiles([join(directory, "*.conf")])).rejects.toThrow("no file is called like that");
});
