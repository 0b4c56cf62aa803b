import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { commandComplaint } from "./support/command-lines.ts";
import { blockComplaints } from "./support/document-blocks.ts";
import { npmComplaint } from "./support/document-commands.ts";
import { isInstalled } from "./support/document-files.ts";
import { anchors, codeBlocks, inlineCode, linkTargets } from "./support/markdown.ts";
import { projectFiles, projectRoot, readProjectFile } from "./support/project-files.ts";

const files = projectFiles();
const documents = files.filter((path) => path.endsWith(".md"));
/** What a user reads; decisions and the list of changes speak of what was. */
const manuals = documents.filter((path) => /^(README|CONTRIBUTING)\.md$|^docs\/[^/]+\.md$/.test(path));

/** What is wrong in each document, as `README.md: …`. */
function complaints(paths: readonly string[], find: (text: string, path: string) => readonly string[]): string[] {
  return paths.flatMap((path) => find(readProjectFile(path), path).map((complaint) => `${path}: ${complaint}`));
}

/** `path` may have a `*` for a part of a name, or be the beginning of several (`test/system/watch-`). */
function isThere(path: string): boolean {
  if (path.endsWith("-")) return files.some((file) => file.startsWith(path));
  const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
  return path.includes("*") ? files.some((file) => pattern.test(file)) : existsSync(join(projectRoot, path));
}

describe("the documents", () => {
  it("are there", () => {
    expect(documents).toEqual(expect.arrayContaining(["CHANGELOG.md", "CONTRIBUTING.md", "README.md"]));
    expect(manuals.length).toBeGreaterThan(18);
  });

  it("link only to what exists", () => {
    const broken = complaints(documents, (text, path) =>
      linkTargets(text).filter((target) => {
        if (/^[a-z]+:/.test(target)) return false;
        const [file = "", anchor] = target.split("#");
        const linked = file === "" ? path : normalize(join(dirname(path), file));
        if (!existsSync(join(projectRoot, linked))) return true;
        return anchor !== undefined && !anchors(readProjectFile(linked)).has(anchor);
      }),
    );
    expect(broken).toEqual([]);
  });

  it("are all found from the README", () => {
    const linked = linkTargets(readProjectFile("README.md")).map((target) => target.split("#")[0]);
    expect(manuals.filter((path) => path !== "README.md" && !linked.includes(path))).toEqual([]);
  });

  it("name only files of the repository that exist", () => {
    /** Made by programs, and perhaps not yet. */
    const made = /^bench\/results(?:$|\/)|^docs\/performance$/;
    const named = /(?<![\w/.~-])(?:bench|docs|packaging|resources|scripts|src|systemd|test)\/[\w@*./-]*[\w-]/g;
    const missing = complaints(manuals, (text) =>
      (text.match(named) ?? []).filter((path) => !made.test(path) && !isThere(path)),
    );
    expect(missing).toEqual([]);
  });

  it("number each decision once, in its name and in its heading", () => {
    const decisions = documents.filter((path) => path.startsWith("docs/decisions/"));
    const numbers = decisions.map((path) => Number(/\/(\d{4})-/.exec(path)?.[1]));
    expect(new Set(numbers).size).toBe(numbers.length);
    const headings = decisions.map((path) => Number(/^# (\d+)\. /.exec(readProjectFile(path))?.[1]));
    expect(headings).toEqual(numbers);
  });

  it("have only blocks that are checked, and each block is right", async () => {
    const counts = new Map<string, number>();
    const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
    const wrong: string[] = [];
    for (const path of manuals) {
      for (const block of codeBlocks(readProjectFile(path))) {
        count(`blocks of ${block.kind}`);
        const found = await blockComplaints(block, count);
        wrong.push(...found.map((complaint) => `${path}:${block.line}: ${complaint}`));
      }
    }
    console.log(
      ["checked in the documents:", ...[...counts].map(([what, number]) => `${number} ${what}`)].join("\n  "),
    );
    expect(wrong).toEqual([]);
    expect(counts.get("commands of rsyncdirector")).toBeGreaterThan(30);
  });

  it("name only commands, options and npm scripts that there are", async () => {
    const wrong: string[] = [];
    let commands = 0;
    for (const path of documents) {
      for (const code of inlineCode(readProjectFile(path))) {
        const [program, ...args] = code.replace(/^[$#] /, "").split(" ");
        const complaint =
          program === "rsyncdirector"
            ? await commandComplaint(code, { mayLackWords: true })
            : program === "npm"
              ? npmComplaint(args)
              : undefined;
        if (program === "rsyncdirector") commands += 1;
        if (complaint !== undefined) wrong.push(`${path}: ${code}: ${complaint}`);
      }
    }
    console.log(`checked in the sentences of the documents: ${commands} commands of rsyncdirector`);
    expect(wrong).toEqual([]);
    expect(commands).toBeGreaterThan(100);
  });
});

describe("the checks of blocks", () => {
  const nobody = () => undefined;
  const check = (kind: string, text: string) => blockComplaints({ kind, language: "", text, line: 1 }, nobody);

  it.each([
    ["", "anything", /^nothing checks blocks of the kind ""/],
    ["bash", "true", /^nothing checks blocks of the kind "bash"/],
    ["sh", "if true", /^no shell script: /],
    ["sh", "frobnicate --now", /frobnicate is not among the known programs/],
    ["sh", 'cat "$(frobnicate)"', /frobnicate is not among the known programs/],
    ["sh", "rsyncdirector frobnicate", /unknown command 'frobnicate'/],
    ["sh", "rsyncdirector run --frobnicate", /unknown option '--frobnicate'/],
    ["sh", "rsyncdirector config init one two", /too many arguments/],
    ["sh", "rsyncdirector run --config", /argument missing/],
    ["sh", "npm run frobnicate", /package.json has no script frobnicate/],
    ["sh", "node scripts/frobnicate.mjs", /there is no scripts\/frobnicate.mjs/],
    ["sh", "systemctl start rsyncdirector-all@web", /there is no unit rsyncdirector-all@/],
    ["console", "$ rsyncdirector frobnicate\nanswer", /unknown command 'frobnicate'/],
    ["console", "only an answer", /a session without a command/],
    ["yaml", "frobnicate: 1\n", /frobnicate: is not a known key/],
    ["yaml job", "frobnicate: 1\n", /frobnicate: is not a known key/],
    ["yaml actions", "- { action: frobnicate }\n", /action: must be one of /],
    ["yaml web", "frobnicate: 1", /frobnicate is not supported/],
    ["yaml inventory", "frobnicate: 1", /frobnicate/],
    ["json", "{", /SyntaxError/],
    ["yaml compose", "services: {}", /has no services/],
    ["js polkit", "polkit.Result.YES", /adds no rule/],
    ["text csync2", "group web { host }", /OperatorError/],
    ["text change-log", "Entry:   1.1\nTime:    2026-11-29T12:40:10.123Z\n", /^the program writes:/],
    ["ini drop-in", "[Service]\nNice=1", /does not begin with/],
    ["lua lsyncd", "settings {\n  frobnicate = 1,\n}", /frobnicate is in no table/],
  ])("refuse %s: %s", async (kind, text, complaint) => {
    expect((await check(kind, text)).join("\n")).toMatch(complaint);
  });

  it.each([
    ["sshd", "text sshd_config", "Frobnicate yes", /Frobnicate/],
    ["systemd-analyze", "ini drop-in", "# systemctl edit rsyncdirector@web\n[Service]\nFrobnicate=1", /Frobnicate/],
    ["logrotate", "text logrotate", "/var/log/x {\n  frobnicate\n}\n", /frobnicate/],
  ])("have %s refuse %s: %s", async (program, kind, text, complaint) => {
    if (!isInstalled(program)) return expect(await check(kind, text)).toEqual([]);
    expect((await check(kind, text)).join("\n")).toMatch(complaint);
  });

  it("do not carry out what they read", async () => {
    expect(await check("sh", "rsyncdirector config init")).toEqual([]);
    expect(existsSync("rsyncdirector.yaml")).toBe(false);
  });
});
