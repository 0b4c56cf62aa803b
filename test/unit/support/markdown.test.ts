import { describe, expect, it } from "vitest";
import { anchors, codeBlocks, inlineCode, linkTargets } from "../../support/markdown.ts";

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

   ${fence}yaml job
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
    expect(codeBlocks(text)).toMatchObject([
      { kind: "sh", language: "sh", line: 6 },
      { kind: "yaml job", language: "yaml", text: "key: value\n", line: 14 },
    ]);
  });

  it("finds code in sentences, and none of blocks", () => {
    expect(inlineCode(text)).toEqual(["code", "[a link](code.md)", "npm run check"]);
  });
});
