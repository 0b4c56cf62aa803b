import { describe, expect, it } from "vitest";
import { readmeSteps, tableRows, withoutFigures } from "../../support/readme-steps.ts";

const fence = "```";
const text = `# Name

## Begin

${fence}sh
one --two    # three
four
${fence}

## Go on

Not \`/etc/other.yaml\`. Write \`/etc/some/file.yaml\`:

${fence}yaml
key: value
${fence}

${fence}console
$ show
12 of it
$ show more
${fence}

| to | do |
| -- | -- |
| see | \`look\` |

## End
`;

describe("the steps of a README", () => {
  it("are its commands, what they show, and the files that are written, in their order", () => {
    expect(readmeSteps(text)).toEqual([
      { section: "Begin", line: 5, does: { kind: "run", command: "one --two    # three", shows: undefined } },
      { section: "Begin", line: 5, does: { kind: "run", command: "four", shows: undefined } },
      { section: "Go on", line: 14, does: { kind: "write", file: "/etc/some/file.yaml", text: "key: value\n" } },
      { section: "Go on", line: 18, does: { kind: "run", command: "show", shows: "12 of it\n" } },
      { section: "Go on", line: 18, does: { kind: "run", command: "show more", shows: "" } },
    ]);
  });

  it("include the rows of its tables", () => {
    expect(tableRows(text, "Go on")).toEqual([["see", "`look`"]]);
  });

  it.each([
    ["ok, took 1.2s (12 files, 3.4 MB)", "ok, took 350ms (9 files, 120 B)", true],
    ["run 20261129-124010-9f3a1c at 2026-11-29 12:40:10", "run 20270101-000000-000000 at 2027-01-01 00:00:00", true],
    ["ok in 1h 5m", "ok in 3m", true],
    ["ok", "failed", false],
    ["02:30, in 19h 45m", "Wed 02:30, in 21h 13m", true],
    ["job home", "job mail", false],
  ])("are compared without times, sizes and ids: %s", (one, other, same) => {
    expect(withoutFigures(one) === withoutFigures(other)).toBe(same);
  });
});
