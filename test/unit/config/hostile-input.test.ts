import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { OperatorError } from "../../../src/base/errors.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { readProjectFile } from "../../support/project-files.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

/** Loads a text; whatever it is, the answer is a configuration or a message for the operator. */
async function outcome(directory: string, text: string): Promise<string> {
  const file = join(directory, "config.yaml");
  await writeFile(file, text, { mode: 0o600 });
  try {
    await loadConfig(file, { env: { HOME: "/home/tester" } });
    return "config";
  } catch (error) {
    if (error instanceof OperatorError && error.kind === "usage" && error.message !== "") return error.message;
    throw error;
  }
}

const naughty = [
  "__proto__",
  "constructor",
  "toString",
  "-rf /",
  "$(touch /tmp/x)",
  "`id`",
  "${HOME}",
  "${",
  "\u0000",
  "\u001b[2J",
  "\r\n",
  "\u202e",
  "NaN",
  "Infinity",
  "-0",
  "1e999",
  "0x10",
  "~",
  "null",
  "<<",
  "*",
  "&a",
  "!!js/function",
  "../../etc/passwd",
  "a".repeat(5000),
  "'; DROP TABLE jobs",
  "%s%n",
  "\ud800",
  "👩‍👩‍👧",
  "::",
  "rsync://x",
  "host:",
  "@",
  "[::1]",
  "{}",
  "[]",
  "- - -",
];

const keys = [
  "rsync_id",
  "cron_schedule",
  "jobs",
  "id",
  "type",
  "actions",
  "action",
  "source",
  "dest",
  "opts",
  "lock_files",
  "blocks_on",
  "path",
  "host",
  "ssh",
  "options",
  "defaults",
  "include",
  "retry",
  "timezone",
  "metrics",
  "syncs",
  "watch",
  "remote_sync",
  "source_dir",
  "logging",
  "exit_codes",
];

describe("the loader never crashes", () => {
  test("on arbitrary text", async () => {
    const directory = await makeTempDir();
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(
          fc.constantFrom(
            "a: ",
            "- ",
            "\n",
            " ",
            "*",
            "&x ",
            "{",
            "]",
            '"',
            "'",
            "|",
            "!",
            "%",
            "#",
            "? ",
            "<<: ",
            "\t",
          ),
          { maxLength: 40 },
        )
        .map((parts) => parts.join("")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        expect(await outcome(directory, value)).not.toBe("");
      }),
      { numRuns: 300 },
    );
  });

  test("on arbitrary trees of known keys and hostile values", async () => {
    const directory = await makeTempDir();
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(fc.constantFrom(...keys, ...naughty.slice(0, 3)), tie("value"), { maxKeys: 6 }),
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom("local", "remote", "sync", "command", "/a", ...naughty),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 3 }),
        tie("tree"),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(tree, async (value) => {
        expect(await outcome(directory, stringify(value))).not.toBe("");
      }),
      { numRuns: 300 },
    );
  });

  test("when one value of the sample is replaced by anything", async () => {
    const directory = await makeTempDir();
    const lines = readProjectFile("resources/rsyncdirector.yaml").split("\n");
    const replaceable = lines.flatMap((line, index) => (/^\s*(?:- )?[a-z_]+: \S/.test(line) ? [index] : []));
    const value = fc.constantFrom(
      ...naughty.map((text) => JSON.stringify(text)),
      "[]",
      "{}",
      "~",
      "-1",
      "[[]]",
      "{a: {b: c}}",
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...replaceable), value, async (index, replacement) => {
        const text = lines.with(index, (lines[index] ?? "").replace(/: .*/, `: ${replacement}`)).join("\n");
        expect(await outcome(directory, text)).not.toBe("");
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["deep lists", "[".repeat(100_000)],
    ["deep blocks", `{"a":`.repeat(20_000)],
    ["a thousand unknown keys", Array.from({ length: 1000 }, (_, index) => `key${index}: 1`).join("\n")],
    ["many broken jobs", `rsync_id: x\njobs:\n${"  - { id: 1 }\n".repeat(5000)}`],
  ])("on %s, and its message stays readable", async (_, text) => {
    const message = await outcome(await makeTempDir(), text);
    expect(message.split("\n").length).toBeLessThanOrEqual(101);
  });

  test("and one bad value never reaches the prototype of all objects", async () => {
    await outcome(
      await makeTempDir(),
      "__proto__: { polluted: 1 }\ndefaults: { __proto__: { polluted: 1 } }\njobs: [{ __proto__: { polluted: 1 } }]\n",
    );
    expect("polluted" in {}).toBe(false);
  });
});

describe("aliases", () => {
  test("may stand in hundreds of jobs, with others in them", async () => {
    const job = (id: string) => `  - {<<: *common, id: ${id}}\n`;
    const jobs = Array.from({ length: 500 }, (_, index) => job(`job-${index}`)).join("");
    const text = `rsync_id: x\ncron_schedule: "0 3 * * *"\njobs:
  - &common
    id: first
    type: local
    actions:
      - &write {action: command, id: a, command: /bin/true}
      - {<<: *write, id: b}
${jobs}`;
    expect(await outcome(await makeTempDir(), text)).toBe("config");
  });

  test("that repeat ten times what repeats ten times, and so on, are refused", async () => {
    const ten = (level: number) => Array.from({ length: 10 }, () => `*l${level - 1}`).join(", ");
    const levels = Array.from({ length: 8 }, (_, index) => `l${index + 1}: &l${index + 1} [${ten(index + 1)}]\n`);
    const text = `rsync_id: x\nl0: &l0 [a]\n${levels.join("")}`;
    expect(await outcome(await makeTempDir(), text)).toMatch(/repeats anchors \(&, \*\) too often$/);
  });
});
