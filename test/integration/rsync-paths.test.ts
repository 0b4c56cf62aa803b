import fc from "fast-check";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { runProcess } from "../../src/process/run-process.ts";
import { buildRsyncCommand } from "../../src/rsync/command.ts";
import type { RsyncCommandSpec } from "../../src/rsync/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const bin = join(import.meta.dirname, "..", "fixtures", "bin");

/** Names that mean something to a shell, to rsync or to a terminal, and that must mean nothing here. */
const hostileNames = [
  "sp ace",
  "trailing ",
  "it's",
  'dou"ble',
  "x$(touch PWNED)y",
  "x`touch PWNED`y",
  "a;b|c&d<e>f",
  "!bang#h{x}",
  "-dash",
  "--rsh=touch PWNED",
  "new\nline",
  "cr\rx",
  "tab\tx",
  "esc\u001b[2Jx",
  "co:lon",
  ":colon",
  "~tilde",
  "back\\slash",
  "trailing\\",
  "\\#012escape",
  "a[b]c",
  "st*r",
  "q?",
  "a\\b*c",
  "\\*",
  "schön 😀",
];
/** What a shell or rsync would find instead, if it expanded a name above. */
const decoys = ["abc", "stXr", "qX", "a\\bXc", "\\zzz", "xy", "sp", "ace"];
/** Wildcards and line ends or backticks together: rsync can quote one or the other. */
const impossibleDestination = "st*r\n";

let here: string;
let there: string;

beforeEach(async () => {
  const directory = await makeTempDir();
  here = join(directory, "here");
  there = join(directory, "there");
  await mkdir(here);
  await mkdir(there);
});

async function rsync(spec: Pick<RsyncCommandSpec, "sources" | "dest" | "remote">, env: Record<string, string> = {}) {
  const [file = "", ...args] = buildRsyncCommand({ options: { archive: true }, opts: [], dryRun: false, ...spec });
  const output: string[] = [];
  const result = await runProcess(
    { file, args, cwd: here, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", REMOTE_HOME: there, ...env } },
    {
      signal: new AbortController().signal,
      clock: systemClock,
      log: silentLogger,
      onLine: (_stream, line) => output.push(line),
    },
  );
  return { code: result.kind === "exited" ? result.code : null, output: output.join("\n") };
}

const remote = (side: "source" | "dest", shell: readonly string[] = [join(bin, "loopback-shell")]) => ({
  host: "other",
  user: undefined,
  shell,
  side,
});

async function fill(directory: string, content: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "file"), content);
}

describe("a hostile name", () => {
  it.each(hostileNames)("of a local source and destination is only a name: %j", async (name) => {
    await fill(join(here, name), "right");
    const result = await rsync({ sources: [`./${name}`], dest: `${there}/to ${name}` });
    expect(result).toMatchObject({ code: 0 });
    expect(await readFile(join(there, `to ${name}`, name, "file"), "utf8")).toBe("right");
    expect(await readdir(here)).toEqual([name]);
  });

  it.each(hostileNames)("of a remote source is only a name: %j", async (name) => {
    for (const decoy of decoys) await fill(join(there, decoy), "wrong");
    await fill(join(there, name), "right");
    const result = await rsync({ sources: [`${name}/`], dest: `${here}/`, remote: remote("source") });
    expect(result).toMatchObject({ code: 0 });
    expect(await readFile(join(here, "file"), "utf8")).toBe("right");
    expect((await readdir(there)).filter((entry) => entry.startsWith("PWNED"))).toEqual([]);
  });

  it.each(hostileNames)("of a remote destination is only a name: %j", async (name) => {
    for (const decoy of decoys) await mkdir(join(there, decoy), { recursive: true });
    await fill(here, "right");
    const result = await rsync({ sources: [`${here}/`], dest: `${name}/`, remote: remote("dest") });
    expect(result).toMatchObject({ code: 0 });
    expect(await readFile(join(there, name, "file"), "utf8")).toBe("right");
    expect((await readdir(there)).toSorted()).toEqual([...decoys, name].toSorted());
  });

  it("is refused as a remote destination where rsync cannot carry it", async () => {
    await expect(rsync({ sources: [here], dest: impossibleDestination, remote: remote("dest") })).rejects.toThrow(
      /destination/,
    );
  });

  it("inside a tree goes through both ways", async () => {
    for (const name of hostileNames) await fill(join(here, "tree", name), name);
    await expect(rsync({ sources: ["./tree/"], dest: "copy", remote: remote("dest") })).resolves.toMatchObject({
      code: 0,
    });
    await expect(rsync({ sources: ["copy/"], dest: "./back", remote: remote("source") })).resolves.toMatchObject({
      code: 0,
    });
    expect((await readdir(join(here, "back"))).toSorted()).toEqual(hostileNames.toSorted());
  });
});

it("a path below the home directory keeps its meaning, also with characters that need protection", async () => {
  await fill(here, "right");
  for (const name of ["plain", "sp ace"]) {
    await expect(rsync({ sources: [`${here}/`], dest: `~/${name}`, remote: remote("dest") })).resolves.toMatchObject({
      code: 0,
    });
    expect(await readFile(join(there, name, "file"), "utf8")).toBe("right");
  }
});

it("every word of the remote shell arrives exactly as it is", async () => {
  const word = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0"));
  const argsFile = join(here, "args");
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (words) => {
      await rm(argsFile, { force: true });
      const shell = [join(bin, "print-args"), ...words];
      await rsync(
        { sources: [`${here}/`], dest: "/x", remote: { ...remote("dest", shell), user: "me" } },
        { ARGS_FILE: argsFile },
      );
      const received = (await readFile(argsFile, "utf8")).split("\0").slice(0, -1);
      expect(received.slice(0, words.length + 4)).toEqual([...words, "-l", "me", "other", "rsync"]);
    }),
    { numRuns: 40 },
  );
});
