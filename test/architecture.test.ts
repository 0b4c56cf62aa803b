import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBreaches, mayImport } from "./support/architecture-rules.ts";
import { parseModule, readSourceModules } from "./support/source-modules.ts";

/** Raised as the program grows: a checker that suddenly sees fewer files sees nothing. */
const fewestFiles = 172;

function breachesIn(files: Record<string, string>): string[] {
  return findBreaches(Object.entries(files).map(([path, text]) => parseModule(path, text)));
}

describe("the house rules", () => {
  const modules = readSourceModules(join(import.meta.dirname, "..", "src"));

  it("are kept by every file of src", () => {
    expect(findBreaches(modules)).toEqual([]);
  });

  it("are checked on all of the source", () => {
    expect(modules.length).toBeGreaterThanOrEqual(fewestFiles);
    expect(modules.filter(({ imports }) => imports.length > 0).length).toBeGreaterThan(modules.length / 2);
  });

  it("name floors that only build on lower ones", () => {
    const floors = Object.keys(mayImport);
    for (const [folder, lower] of Object.entries(mayImport)) {
      for (const name of lower)
        expect(floors.indexOf(name), `${folder} on ${name}`).toBeLessThan(floors.indexOf(folder));
      for (const name of lower) expect(floors, `${folder} on ${name}`).toContain(name);
    }
  });
});

describe("the checker", () => {
  it.each([
    ["an import of a value", `import { runQueue } from "../run/run-queue.ts";`],
    ["an import of a type", `import type { RunQueue } from "../run/run-queue.ts";`],
    ["a lazy import", `export const load = () => import("../run/run-queue.ts");`],
    ["a type written as an import", `export type Queue = import("../run/run-queue.ts").RunQueue;`],
    ["an export from elsewhere", `export { runQueue } from "../run/run-queue.ts";`],
    ["an export of everything elsewhere", `export * from "../run/run-queue.ts";`],
  ])("reports %s from a higher floor", (_what, text) => {
    expect(breachesIn({ "lock/lease.ts": text })).toEqual([
      "lock/lease.ts: imports run/run-queue.ts: lock may not use run",
    ]);
  });

  it("allows lower floors, the own folder and what is only written in comments and strings", () => {
    const text = `
      // import "../cli/program.ts";
      import { open } from "node:fs/promises";
      import { newer } from "./lock-set.ts";
      import type { Clock } from "../base/clock.ts";
      export const words = 'import("../cli/program.ts")';
    `;
    expect(breachesIn({ "lock/lease.ts": text, "lock/lock-set.ts": "export const newer = 1;" })).toEqual([]);
  });

  it("reports a cycle, also one of types alone, once", () => {
    const files = {
      "run/a.ts": `import type { B } from "./b.ts"; export type A = B;`,
      "run/b.ts": `import type { C } from "./c.ts"; export type B = C;`,
      "run/c.ts": `import type { A } from "./a.ts"; export type C = A;`,
      "run/d.ts": `import type { A } from "./a.ts"; export type D = A;`,
    };
    expect(breachesIn(files)).toEqual(["import cycle: run/a.ts → run/b.ts → run/c.ts → run/a.ts"]);
  });

  it.each([
    ["lock/spawn.ts", `import { execa } from "execa";`, "execa: only process/ may"],
    ["action/x.ts", `import { spawn } from "node:child_process";`, "node:child_process: only process/ may"],
    ["daemon/director.ts", `import { pino } from "pino";`, "pino: only daemon/logging.ts may"],
    ["lock/x.ts", `const ssh2 = await import("ssh2");`, "ssh2: only ssh/ may"],
    ["base/x.ts", `import YAML from "yaml";`, "yaml: base uses Node alone"],
    ["run/x.ts", "export const load = (name: string) => import(name);", "a computed import()"],
    ["run/x.ts", `import { y } from "./y.js";`, "./y.js without its .ts"],
    ["run/x.ts", `import { y } from "../../test/y.ts";`, "../../test/y.ts, which is outside src"],
    ["config/load.ts", `import { Type } from "typebox";`, "typebox at run time: it is a development dependency"],
    ["config/load.ts", `import { s } from "./schema.ts";`, "config/schema.ts at run time: only its types may be"],
  ])("reports in %s: %s", (path, text, complaint) => {
    expect(breachesIn({ [path]: text })).toEqual([`${path}: imports ${complaint}`]);
  });

  it.each([
    ["helping/x.ts", "the folder has no place in the floors", ""],
    ["run/x.ts", "has a default export", "export default 1;"],
    ["run/utils.ts", "a name that says nothing", ""],
    ["run/index.ts", "a name that says nothing", ""],
    ["run/runQueue.ts", "not named in kebab-case", ""],
    ["run/long.ts", "301 lines, more than 300", "// more\n".repeat(301)],
  ])("reports that %s: %s", (path, complaint, text) => {
    expect(breachesIn({ [path]: text })).toEqual([`${path}: ${complaint}`]);
  });

  it("lets the schema use typebox, and others its types", () => {
    const files = {
      "config/schema.ts": `import { Type } from "typebox"; import { sync } from "./schema-sync.ts";`,
      "config/schema-sync.ts": `import { Type } from "typebox";`,
      "config/load.ts": `import type { Document } from "./schema.ts"; import type { Static } from "typebox";`,
    };
    expect(breachesIn(files)).toEqual([]);
  });

  it("refuses a file that cannot be parsed", () => {
    expect(() => parseModule("run/x.ts", "export const = ;")).toThrow("run/x.ts");
  });
});
