import { describe, expect, it } from "vitest";
import { anchors, codeBlocks, linkTargets, shellLines } from "../../support/markdown.ts";

const fence = "```";
const text = `# Title of it, with \`code\`

See [one](docs/one.md), [two](<two words.md>) and [an anchor](#title-of-it-with-code "said").
Not \`[a link](code.md)\`. Type \`npm run check\` now.

${fence}sh
$ rsyncdirector run \\
    --dry-run
[not](a-link.md)
${fence}

1. in a list:

   ${fence}yaml
   key: value
   ${fence}
`;

describe("reading a document", () => {
  it("finds the links of its prose and none in code", () => {
    expect(linkTargets(text)).toEqual(["docs/one.md", "two words.md", "#title-of-it-with-code"]);
  });

  it("knows the anchors of its headings", () => {
    expect([...anchors(text)]).toEqual(["title-of-it-with-code"]);
  });

  it("finds fenced blocks, also indented ones, without the indentation", () => {
    expect(codeBlocks(text).map(({ language }) => language)).toEqual(["sh", "yaml"]);
    expect(codeBlocks(text)[1]?.text).toBe("key: value\n");
  });

  it("joins continued lines of commands and leaves prompts out", () => {
    expect(shellLines(text)).toContainEqual(expect.stringMatching(/^rsyncdirector run +--dry-run$/));
    expect(shellLines(text)).toContain("npm run check");
  });
});
