import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { projectRoot } from "../support/project-files.ts";

/** One line of `run.mjs --json`; `breaks` is the property that a known mistake costs, null for the protocol itself. */
interface Searched {
  readonly name: string;
  readonly about: string;
  readonly breaks: string | null;
  readonly violated: string | null;
  readonly errors: number;
  readonly complete: boolean;
  /** What cut the search short. */
  readonly why: string;
  readonly states: number;
  /** Steps of the model that were never taken. */
  readonly undone: readonly string[];
  readonly history: readonly string[];
}

/** Everything takes minutes; with this many seconds it is a part, another one each time. */
const seconds = process.env["MODEL_SECONDS"];

const runner = join(projectRoot, "scripts", "model", "run.mjs");

function parse(output: string): Searched[] {
  const lines = output.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Searched);
}

const configurations = parse(execFileSync(process.execPath, [runner, "--list", "--json"], { encoding: "utf8" }));
const protocol = configurations.filter(({ breaks }) => breaks === null);
const mistakes = configurations.filter(({ breaks }) => breaks !== null);

describe("the model of the lock protocol", () => {
  let results = new Map<string, Searched>();
  /** The table of what was searched, and complaints. */
  let said = "";

  beforeAll(async () => {
    const part = seconds === undefined ? [] : ["--within", seconds];
    const run = promisify(execFile)(process.execPath, [runner, "--json", ...part], { maxBuffer: 64 * 1024 * 1024 });
    const { stdout, stderr } = await run.catch((error: unknown) => error as { stdout: string; stderr: string });
    said = stderr;
    results = new Map(parse(stdout).map((result) => [result.name, result]));
  });
  // What was searched in this run, and how deep, belongs to the output of the tests.
  afterAll(() => console.log(said));

  function resultOf(name: string, context: TestContext): Searched {
    const missing = /^model: (not installed here: .*)$/m.exec(said)?.[1];
    if (missing !== undefined) context.skip(missing);
    const result = results.get(name);
    const ended = /^model: (\d+) of \d+ searched in this run/m.exec(said)?.[1];
    if (result === undefined && seconds !== undefined && ended === String(results.size) && results.size > 0) {
      context.skip(`not begun within MODEL_SECONDS=${seconds}; the last search is in docs/lock-model.md`);
    }
    if (result === undefined) throw new Error(`the runner says nothing about ${name}: ${said}`);
    return result;
  }

  it("has a mistake for every property, which costs just that one", () => {
    const properties = new Set(mistakes.map(({ breaks }) => breaks));
    expect(properties).toEqual(new Set(["S1", "S1_S2", "S3", "S4", "L1", "L2", "L4"]));
    expect(protocol.length).toBeGreaterThanOrEqual(25);
  });

  it.for(protocol)("finds nothing wrong in any history of $name: $about", ({ name }, context) => {
    const { errors, complete, why, history, states } = resultOf(name, context);
    expect({ errors, complete, why, history }).toEqual({ errors: 0, complete: true, why: "", history: [] });
    expect(states).toBeGreaterThan(100_000);
  });

  it.for(mistakes)("finds the mistake $name: $about", ({ name, breaks }, context) => {
    const { violated, history } = resultOf(name, context);
    expect(violated).toBe(breaks);
    expect(history.length).toBeGreaterThan(2);
  });

  it("tells how much was searched in this run, and of each search how many states and how deep", (context) => {
    for (const { name, states } of results.values()) {
      const count = Math.round(states).toLocaleString("en");
      expect(said).toMatch(new RegExp(`^${name} +${count} +[\\d,]+ +[\\d,]+ `, "m"));
    }
    expect(resultOf("look-before-claim", context).states).toBeGreaterThan(0);
    expect(said).toContain(`model: ${results.size} of ${protocol.length + mistakes.length} searched in this run`);
  });

  it("takes every step that it has, so that nothing holds for want of trying", (context) => {
    expect(resultOf("pair-hold", context).undone).toEqual([]);
    expect(resultOf("trio-crash", context).undone.join("\n")).toMatch(/no answer/);
  });
});
