import { execa } from "execa";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  acquireCommand,
  checkCommand,
  holdsCommand,
  readLockScript,
  releaseCommand,
} from "../../src/lock/transport/lock-script.ts";
import { collectAnswers, frameOperation, newNonce, quoteForShell } from "../../src/ssh/shell-protocol.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { type Helper, wanting } from "../support/lock-shell.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const mine = "my-own-token-0123456789";
const theirs = lockContent({ token: "their-token-0123456789-" });

/**
 * Carries a command out, and `change` just before the shell makes its test number `moment`. Answers with the first
 * word of the first answer, or the whole of it when it is an error; undefined: it made fewer tests than that.
 */
async function changeAt(moment: number, { change, command, helper, account = [] }: Scene): Promise<string | undefined> {
  const script = (await readLockScript()).replaceAll(/(?<=^|\s)\[ /gm, "rd_test ");
  const counted = `rd_moment=-1000
rd_test() {
  rd_moment=$((rd_moment + 1))
  if [ $rd_moment -eq ${moment} ]; then ${change}; fi
  [ "$@"
}`;
  const nonce = newNonce();
  const operation = frameOperation(nonce, `${command}\nrd_say 99 MOMENTS $rd_moment`);
  const { stdout } = await execa("env", [...account, "/bin/sh", "-s"], {
    input: [counted, script, wanting(helper), "rd_want_helper", "rd_moment=0", operation].join("\n"),
  });
  const answers = collectAnswers(stdout, nonce) ?? [];
  const moments = Number(answers.find((answer) => answer.startsWith("99 "))?.split(" ")[2]);
  if (!(moments >= moment)) return undefined;
  const [first = "nothing"] = answers;
  return (/^0 (ERR .*|[A-Z]+)/.exec(first)?.[1] ?? first).trimEnd();
}

interface Scene {
  /** What others do in the directory of the lock. */
  readonly change: string;
  readonly command: string;
  readonly helper: Helper;
  /** A prefix of the shell. */
  readonly account?: readonly string[];
}

/** What is answered at any moment at which the change may happen, each answer once. */
async function answersAtEveryMoment(set: (directory: string) => Promise<Scene>): Promise<string[]> {
  const seen = new Set<string>();
  for (let moment = 1; ; moment += 1) {
    const answer = await changeAt(moment, await set(await makeTempDir()));
    if (answer === undefined) {
      expect(moment).toBeGreaterThan(5);
      return [...seen].toSorted();
    }
    seen.add(answer);
  }
}

const operations = {
  claim: (path: string) =>
    acquireCommand({ claims: [{ path, token: mine, content: lockContent({ token: mine }) }], thenCheck: [] }),
  look: (path: string) => checkCommand([path]),
  release: (path: string) => releaseCommand([{ path, token: mine }]),
  "look at the hold": (path: string) => holdsCommand([`${path}.hold`]),
};

describe.each([
  ["by programs", "never"],
  ["by its helper", "at once"],
] as const)("between any two tests of a lock file that a shell makes which changes it %s", (_, helper) => {
  it.each([
    ["claim", ["ACQUIRED", "HELD"]],
    ["look", ["ABSENT", "HELD"]],
    ["release", ["ABSENT", "ERR unproven", "LOST"]],
  ] as const)("another may take the lock: a %s finds it, or none", async (name, possible) => {
    const seen = await answersAtEveryMoment(async (directory) => {
      const path = join(directory, "a.lock");
      await writeFile(join(directory, "source"), theirs);
      return {
        change: `ln ${quoteForShell(join(directory, "source"))} ${quoteForShell(path)}`,
        command: operations[name](path),
        helper,
      };
    });
    expect(seen).toEqual(possible);
  });

  it.each([
    ["claim", ["ACQUIRED", "ERR unproven", "HELD"]],
    ["look", ["ABSENT", "HELD"]],
    ["release", ["ABSENT", "ERR unproven", "LOST"]],
  ] as const)("another may give the lock back: a %s finds it, or none", async (name, possible) => {
    const seen = await answersAtEveryMoment(async (directory) => {
      const path = join(directory, "a.lock");
      await writeFile(path, theirs);
      return { change: `rm ${quoteForShell(path)}`, command: operations[name](path), helper };
    });
    expect(possible).toEqual(expect.arrayContaining(seen));
  });

  it.each([
    ["claim", "guard", "ACQUIRED"],
    ["release", "guard", "ABSENT"],
    ["look at the hold", "hold", "FREE"],
  ] as const)("another account may make the file beside it that a %s locks", async (name, suffix, answer) => {
    const isRoot = process.getuid?.() === 0;
    const account = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    const seen = await answersAtEveryMoment(async (directory) => {
      await chmod(directory, 0o777);
      const [path, source] = [join(directory, "a.lock"), join(directory, "source")];
      await writeFile(source, "", { mode: isRoot ? 0o644 : 0o444 });
      const change = `mv ${quoteForShell(source)} ${quoteForShell(`${path}.${suffix}`)}`;
      return { change, command: operations[name](path), helper, account };
    });
    expect(seen.map((word) => word.split(" ")[0])).toEqual([answer]);
  });
});
