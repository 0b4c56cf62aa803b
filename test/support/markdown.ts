/** A fenced block: ```yaml … ```. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a text; what indents the fence is taken off the block too. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (const [, indent = "", language = "", text = ""] of markdown.matchAll(/^( *)```([\w-]*)[^\n]*\n(.*?)^\1```/gms)) {
    const lines = text.split("\n").map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    blocks.push({ language, text: lines.join("\n") });
  }
  return blocks;
}

/** Where the links of a text lead, as written; those in code do not count. */
export function linkTargets(markdown: string): string[] {
  const prose = markdown.replaceAll(/^( *)```.*?^\1```/gms, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\((?:<([^>\n]+)>|([^)\s]+))[^)]*\)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** The anchors a text offers, formed of its headings as code hosts do. */
export function anchors(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{1,6} +(.+?)\s*$/gm)].map(([, heading]) => heading ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Every line that a reader is told to type, in shell blocks and between backticks; without prompts. */
export function shellLines(markdown: string): string[] {
  const inBlocks = codeBlocks(markdown)
    .filter(({ language }) => ["", "sh", "bash", "console", "shell"].includes(language))
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"));
  const inline = [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? "");
  return [...inBlocks, ...inline].map((line) => line.trim().replace(/^[$#] /, ""));
}
