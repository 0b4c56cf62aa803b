/** A fenced block: ```yaml job … ```. */
export interface CodeBlock {
  /** All that stands behind the fence: `yaml job`. */
  readonly kind: string;
  /** Its first word. */
  readonly language: string;
  readonly text: string;
  /** Of the fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a text; what indents the fence is taken off the block too. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (const match of markdown.matchAll(/^( *)```([^\n`]*)\n(.*?)^\1```/gms)) {
    const [, indent = "", info = "", text = ""] = match;
    const lines = text.split("\n").map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const kind = info.trim();
    const [language = ""] = kind.split(" ");
    blocks.push({ kind, language, text: lines.join("\n"), line: markdown.slice(0, match.index).split("\n").length });
  }
  return blocks;
}

/** Where the links of a text lead, as written; those in code do not count. */
export function linkTargets(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replaceAll(/`[^`\n]*`/g, "");
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

/** What stands between backticks in the prose. */
export function inlineCode(markdown: string): string[] {
  return [...withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? "");
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^( *)```.*?^\1```/gms, "");
}
