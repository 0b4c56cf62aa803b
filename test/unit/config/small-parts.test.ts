import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expandPattern } from "../../../src/config/file-glob.ts";
import { isRoot, shellLeftover } from "../../../src/config/paths.ts";
import { redactText } from "../../../src/base/redact.ts";
import { findSecret, redactTree } from "../../../src/config/redact.ts";
import { suggest } from "../../../src/config/spelling.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("suggest", () => {
  const known = ["lock_files", "blocks_on", "timeout", "host", "port", "user", "id"];
  test.each([
    ["lock-files", "lock_files"],
    ["Lockfiles", "lock_files"],
    ["block_on", "blocks_on"],
    ["tiemout", "timeout"],
    ["prot", "port"],
    ["frobnicate", undefined],
    ["x".repeat(1000), undefined],
    ["", undefined],
  ])("takes %j for %j", (word, expected) => {
    expect(suggest(word, known)).toBe(expected);
  });
});

describe("redaction", () => {
  test.each([
    ["https://me:hunter2@host/x", "https://me:[redacted]@host/x"],
    ["curl --token abc123 -v", "curl --token [redacted] -v"],
    ["--password=abc --password-file=/x", "--password=[redacted] --password-file=/x"],
    ["Authorization: Bearer abcdefghij", "Authorization: Bearer [redacted]"],
    ["user@host:/path -p 22", "user@host:/path -p 22"],
  ])("turns %j into %j", (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  test("hides values of secret keys at any depth, and says where the first one is", () => {
    const tree = { a: [{ api_key: "k", token_file: "/x" }], password: ["p"], token: "" };
    expect(redactTree(tree)).toEqual({
      a: [{ api_key: "[redacted]", token_file: "/x" }],
      password: ["[redacted]"],
      token: "",
    });
    expect(findSecret(tree)).toEqual(["a", 0, "api_key"]);
    expect(findSecret({ a: "b", list: [1, null] })).toBeUndefined();
  });
});

describe("paths", () => {
  test.each([
    ["/", true],
    ["//", true],
    ["/./", true],
    ["/a/..", true],
    ["/a", false],
    [".", false],
  ])("%j is the root: %j", (path, expected) => {
    expect(isRoot(path)).toBe(expected);
  });

  test.each(["/a/*.log", "/a '/b'", "/a\\ b", "$HOME/x", "/a /b"])("%j is not what a shell would have seen", (path) => {
    expect(shellLeftover(path)).toEqual(expect.any(String));
  });

  test("a plain path with spaces is itself", () => {
    expect(shellLeftover("/My Files/x: y")).toBeUndefined();
  });
});

test("expandPattern finds files by name, sorted, without hidden ones", async () => {
  const directory = await makeTempDir();
  for (const part of ["a", "b", ".c"]) {
    await mkdir(join(directory, part));
    for (const name of ["2.yaml", "1.yaml", "x.yml", ".h.yaml"]) await writeFile(join(directory, part, name), "");
  }
  const found = async (pattern: string) =>
    (await expandPattern(join(directory, pattern))).map((path) => path.slice(directory.length + 1));
  expect(await found("*/*.yaml")).toEqual(["a/1.yaml", "a/2.yaml", "b/1.yaml", "b/2.yaml"]);
  expect(await found("[!b]/?.y*l")).toEqual(["a/1.yaml", "a/2.yaml", "a/x.yml"]);
  expect(await found("a/[z-a].yaml")).toEqual([]);
  expect(await found("none/*.yaml")).toEqual([]);
});
