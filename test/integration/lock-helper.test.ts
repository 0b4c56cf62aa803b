import { execa } from "execa";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { acquireCommand } from "../../src/lock/transport/lock-script.ts";
import { findProgram } from "../../src/process/find-program.ts";
import {
  claimed,
  held,
  life,
  live,
  look,
  prepare,
  type Step,
  token,
  truths,
  wholeLife,
  withHelper,
} from "../support/helped-life.ts";
import { lockFile } from "../support/lock-flock.ts";
import { openLockShell, waitForEnd } from "../support/lock-shell.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** What a change takes where nobody helps. */
const withoutPrograms = ["flock", "sync", "ln", "rm", "mv", "touch"]
  .map((name) => `${name}() { return 127; }`)
  .join("\n");

describe.each(["/bin/sh", "bash --posix", "busybox sh"])("the helper of a kept shell, %s", (name) => {
  const command = name.split(" ") as [string, ...string[]];
  const missing = findProgram(command[0], process.env["PATH"] ?? "") === undefined;

  it("makes every change, and no program does", async (context) => {
    if (missing) return context.skip(`${command[0]} is not installed here`);
    const path = join(await makeTempDir(), "a b.lock");
    const alone = await openLockShell({ command, more: withoutPrograms });
    expect(await live(alone, path)).not.toContain("0 ACQUIRED");
    const shell = await openLockShell({ command, more: withHelper + withoutPrograms });
    expect(await live(shell, path)).toEqual(wholeLife);
    expect(await live(shell, path)).toEqual(wholeLife);
  });

  it("is started beside the first change, and ends with its shell", async (context) => {
    if (missing) return context.skip(`${command[0]} is not installed here`);
    const path = join(await makeTempDir(), "a.lock");
    const shell = await openLockShell({ command, more: "rd_want_helper" });
    expect(await shell.run("rd_check 0 /nothing")).toEqual(["0 ABSENT"]);
    expect(await shell.helper()).toBeUndefined();
    expect(await live(shell, path)).toEqual(wholeLife);
    const helper = await shell.startedHelper();
    // It was not waited for, and is used from now on.
    await shell.run(withoutPrograms);
    expect(await live(shell, path)).toEqual(wholeLife);
    await shell.end();
    await waitForEnd(helper);
  });
});

describe("what the helper has seen in a lock file", () => {
  it("is not believed once it is gone", async () => {
    const path = join(await makeTempDir(), "a.lock");
    const shell = await openLockShell({ more: withHelper });
    const claim = acquireCommand({ claims: [{ path, token, content: claimed }], thenCheck: [] });
    expect(await shell.run(claim)).toEqual(["0 ACQUIRED"]);
    // It sees a claim, which nobody may write with.
    expect(await shell.run(life["sign of life"](path))).toEqual(["0 BEATEN"]);
    const helper = await shell.startedHelper();
    process.kill(helper, "SIGKILL");
    await waitForEnd(helper);
    expect(await shell.run(life.promotion(path))).toEqual(["0 PROMOTED"]);
    const writer = await lockFile(`${path}.hold`);
    expect(await shell.run(life.release(path))).toEqual(["0 INUSE"]);
    await writer.letGo();
    expect(await shell.run(life.release(path))).toEqual(["0 RELEASED"]);
  });

  it("does not lead to the reading of another file of any size, which ends bash", async (context) => {
    if (findProgram("bash", process.env["PATH"] ?? "") === undefined) return context.skip("bash is not installed here");
    const directory = await makeTempDir();
    const [path, copy] = [join(directory, "a.lock"), join(directory, "copy")];
    const shell = await openLockShell({ command: ["bash", "--posix"], more: withHelper });
    expect(await shell.run(life.claim(path))).toEqual(wholeLife.slice(0, 3));
    await writeFile(copy, `777\n${" ".repeat(2_000_000)}${held.split("\n")[1]}\n`);
    await rename(copy, path);
    expect(await shell.run(life.promotion(path))).toEqual([expect.stringMatching(/^0 ERR length/)]);
  });
});

describe("a shell that makes files of here-documents", () => {
  it("has no helper", async (context) => {
    const missing = findProgram("bash", process.env["PATH"] ?? "") === undefined;
    if (missing) return context.skip("bash is not installed here");
    const path = join(await makeTempDir(), "a.lock");
    // As bash did by itself before 5.1.
    const shell = await openLockShell({ command: ["bash", "--posix"], more: `BASH_COMPAT=5.0\n${withHelper}` });
    expect(await live(shell, path)).toEqual(wholeLife);
    expect(await shell.helper()).toBeUndefined();
  });
});

describe("a host whose Perl is of no use", () => {
  it.each([
    ["is missing", undefined],
    ["cannot be started", "no program"],
    ["ends at once", "#!/bin/sh\nexit 2\n"],
    ["says something else", "#!/bin/sh\necho I am no Perl; exec cat >/dev/null\n"],
    ["never gets ready", "#!/bin/sh\nexec cat\n"],
  ])("has its changes made by programs: it %s", async (_, text) => {
    const directory = await makeTempDir();
    const [path, perl] = [join(directory, "a.lock"), join(directory, "perl")];
    if (text !== undefined) await writeFile(perl, text, { mode: 0o755 });
    const other = text === undefined ? "command() { return 1; }" : `PATH=${directory}:$PATH`;
    const shell = await openLockShell({ more: `${other}\nrd_want_helper` });
    expect(await live(shell, path)).toEqual(wholeLife);
    expect(await live(shell, path)).toEqual(wholeLife);
    expect(await shell.helper()).toBeUndefined();
  });

  it("has them made by programs when it lies as well", async () => {
    const directory = await makeTempDir();
    const path = join(directory, "a.lock");
    const liar = "print STDOUT qq(7 yes\\n)";
    const alter = (script: string) => script.replace("my ($name, $number", () => `${liar}; $| = 1; my ($name, $number`);
    const shell = await openLockShell({ alter, more: withHelper });
    expect(await live(shell, path)).toEqual(wholeLife);
  });
});

describe("a host where another Perl library stands in the environment", () => {
  it.each(["PERL5LIB", "PERLLIB"])("has its changes made by the helper: %s is not read", async (variable) => {
    const directory = await makeTempDir();
    await writeFile(join(directory, "Errno.pm"), "die;");
    const more = `export ${variable}=${directory}\n${withHelper}${withoutPrograms}`;
    expect(await live(await openLockShell({ more }), join(directory, "a.lock"))).toEqual(wholeLife);
  });
});

const refusals: readonly { readonly step: Step; readonly order: string; readonly answers: readonly string[] }[] = [
  { step: "claim", order: "LINK", answers: truths.claim.answers },
  { step: "claim", order: "PUT", answers: ["0 ACQUIRED already", ...truths.claim.answers.slice(1)] },
  { step: "sign of life", order: "TOUCH", answers: truths["sign of life"].answers },
  { step: "promotion", order: "PUT", answers: truths.promotion.answers },
  { step: "release", order: "LOCK .hold", answers: truths.release.answers },
  { step: "release", order: "REMOVE", answers: truths.release.answers },
];

describe("a change that the helper could not make", () => {
  it.each(refusals)("is made by programs the next time: $order in a $step", async ({ step, order, answers }) => {
    const path = await prepare(step);
    const [name = "", end = ""] = order.split(" ");
    const refusal = `return "refused" if $_[0] =~ /\\Q${end}\\E$/;`;
    const alter = (script: string) => script.replace(`${name} => sub {`, (start) => `${start} ${refusal}`);
    const shell = await openLockShell({ alter, more: withHelper });
    const helper = await shell.startedHelper();
    expect((await shell.run(life[step](path)))?.at(-1)).toMatch(/^\d ERR \w+ refused$/);
    // Nothing is locked any more, for a writer tries the hold file once.
    if (step === "release") await execa("flock", ["--exclusive", "--nonblock", `${path}.hold`, "true"]);
    await waitForEnd(helper);
    expect(await shell.run(life[step](path))).toEqual(answers);
    expect(await look(path)).toBe(truths[step].lock);
  });

  it("is no reason to do without it when only what people read was not written", async () => {
    const path = await prepare("sign of life");
    const alter = (script: string) => script.replace("REPLACE => sub {", 'REPLACE => sub { return "refused";');
    const shell = await openLockShell({ alter, more: withHelper + withoutPrograms });
    expect(await shell.run(life["sign of life"](path))).toEqual(["0 BEATEN"]);
    expect(await shell.run(life["sign of life"](path))).toEqual(["0 BEATEN"]);
  });
});
