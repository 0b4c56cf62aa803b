import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { quoteWord } from "../../src/base/shell-words.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const script = await readFile(join(import.meta.dirname, "..", "..", "resources", "lock.sh"), "utf8");

/** What may lie at the path of a lock, by the name of the file. */
const contents: Readonly<Record<string, string>> = {
  ours: '4242\n{"v":1,"token":"abc","state":"held"}\n',
  "ours with a space": '4243\n{"v":1,"token":"def","state":"held"}\n',
  empty: "",
  "one line": "4244\n",
  "no end": "4245",
  "second without end": '4246\n{"token":"ghi"}',
  "three lines": "one\ntwo\nthree\n",
  "only ends": "\n\n\n",
  "first empty": "\nsecond\n",
  "like an answer": "1:1:forged\n2:2:forged\n3:1:forged\n",
  backslash: "a\\tb\\\n\\n \\\n",
  spaces: "  lead\n\ttrail  \n",
  equals: "x=1\ny=2\n",
  "name=value": "the name looks like an assignment\nof awk\n",
  "-v": "the name looks like an option\n\n",
  "long line": `${"x".repeat(4000)}\nsecond\n`,
};

describe.each(["/bin/sh", "bash --posix", "busybox sh"])("a look at many lock files in %s", (shell) => {
  const [program = "", ...args] = shell.split(" ");
  const missing = findProgram(program, process.env["PATH"] ?? "") === undefined;

  /** The answers about each path, the time of the look left out. */
  async function look(paths: readonly string[], more = ""): Promise<string[]> {
    const call = `rd_nonce=n; rd_check 0 ${paths.map(quoteWord).join(" ")}; printf '%s' "$rd_said"`;
    const { stdout } = await execa(program, [...args, "-s"], { input: `${script}\n${more}\n${call}\n` });
    const answers = stdout.split("\n").map((line) => line.replace(/^(RD1 n \d+ HELD \d+) \d+$/, "$1"));
    const own = (index: number) => answers.filter((line) => line.startsWith(`RD1 n ${index} `));
    expect(paths.flatMap((_, index) => own(index))).toHaveLength(answers.length);
    return paths.map((_, index) => own(index).join("\n").replaceAll(`RD1 n ${index} `, ""));
  }

  async function makeFiles(more: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const directory = await makeTempDir();
    const all = { ...contents, ...more };
    for (const [name, text] of Object.entries(all)) await writeFile(join(directory, name), text);
    return Object.keys(all).map((name) => join(directory, name));
  }

  it("tells of each what a look at it alone tells, whatever is in the others", async (context) => {
    if (missing) return context.skip(`${program} is not installed here`);
    const files = await makeFiles();
    const directory = join(files[0] ?? "", "..");
    await mkdir(join(directory, "directory"));
    await symlink("ours", join(directory, "link"));
    const others = ["absent", "directory", "link", "absent too"].map((name) => join(directory, name));
    // What is no file stands between the files, and one of them twice.
    const paths = [...files.slice(0, 5), ...others, ...files.slice(5), ...files.slice(0, 2)];
    const alone: string[] = [];
    for (const path of paths) alone.push(...(await look([path])));
    expect(alone[0]).toContain('SECOND {"v":1,"token":"abc","state":"held"}');
    expect(await look(paths)).toEqual(alone);
    expect(await look(paths.toReversed())).toEqual(alone.toReversed());
  });

  it("reads them one by one where one is too large for a lock, and where there is no awk", async (context) => {
    if (missing) return context.skip(`${program} is not installed here`);
    const files = await makeFiles({ large: "x".repeat(10_000) });
    const alone: string[] = [];
    for (const path of files) alone.push(...(await look([path])));
    expect(await look(files)).toEqual(alone);
    const small = files.slice(0, -1);
    expect(await look(small, "awk() { return 127; }")).toEqual(alone.slice(0, -1));
  });
});
