import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { findProgram } from "../../../src/process/find-program.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

let directory: string;

beforeEach(async () => {
  directory = await makeTempDir();
  for (const name of ["first", "second"]) await mkdir(join(directory, name));
  await writeFile(join(directory, "first", "tool"), "");
  await writeFile(join(directory, "second", "tool"), "");
  await chmod(join(directory, "second", "tool"), 0o755);
  await mkdir(join(directory, "first", "folder"));
});

const path = () => `${directory}/missing:${directory}/first:${directory}/second`;

it("finds the first file that can be executed", () => {
  expect(findProgram("tool", path())).toBe(`${directory}/second/tool`);
});

it.each(["other", "folder"])("finds no program where there is none: %s", (name) => {
  expect(findProgram(name, path())).toBeUndefined();
});

it("takes a name with a slash for a path, from the directory it is to run in", () => {
  expect(findProgram("./tool", path(), `${directory}/second`)).toBe("./tool");
  expect(findProgram("./tool", path(), `${directory}/first`)).toBeUndefined();
});
