import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkLocalSources } from "../../../src/action/source-check.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const signal = new AbortController().signal;

async function makeSources(): Promise<Record<"file" | "full" | "empty" | "fresh" | "link" | "missing", string>> {
  const directory = await makeTempDir();
  const at = (name: string) => join(directory, name);
  await mkdir(at("full/sub"), { recursive: true });
  await mkdir(at("empty"));
  await mkdir(at("fresh/lost+found"), { recursive: true });
  await writeFile(at("file"), "");
  await symlink("nowhere", at("link"));
  return {
    file: at("file"),
    full: at("full"),
    empty: at("empty"),
    fresh: at("fresh"),
    link: at("link"),
    missing: at("missing"),
  };
}

it.each(["file", "full", "empty", "fresh", "link"] as const)(
  "lets a sync begin that does not delete: %s",
  async (name) => {
    const source = (await makeSources())[name];
    await expect(checkLocalSources([source], { deletes: false, signal })).resolves.toBeUndefined();
  },
);

it.each(["file", "full", "link"] as const)("lets a sync begin that deletes: %s", async (name) => {
  const source = (await makeSources())[name];
  await expect(checkLocalSources([source], { deletes: true, signal })).resolves.toBeUndefined();
});

it.each([
  ["empty", /is empty/],
  ["fresh", /is empty/],
  ["missing", /does not exist/],
] as const)("stops a sync that deletes: %s", async (name, problem) => {
  const sources = await makeSources();
  await expect(checkLocalSources([sources.full, `${sources[name]}/`], { deletes: true, signal })).resolves.toMatch(
    problem,
  );
});

it("says so when a source cannot be looked at", async () => {
  const { file } = await makeSources();
  await expect(checkLocalSources([`${file}/below`], { deletes: false, signal })).resolves.toMatch(
    /cannot be read: ENOTDIR/,
  );
});

it("does not wait for a disk that does not answer once the signal is aborted", async () => {
  const { missing } = await makeSources();
  await expect(checkLocalSources([missing], { deletes: true, signal: AbortSignal.abort() })).resolves.toBeUndefined();
});
