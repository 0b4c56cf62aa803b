import { escapeRoff, titleLine, verbatim } from "./roff.mjs";

/** rsyncdirector.yaml(5), from the page that the schema makes. */
export function configManual(markdown, { version, date }) {
  const head = titleLine({ name: "RSYNCDIRECTOR.YAML", section: "5", date, version, manual: "File Formats" });
  const body = blocksOf(markdown).map(renderBlock).join("");
  return `${head}.SH NAME
rsyncdirector.yaml \\- configuration of one rsyncdirector instance
.SH DESCRIPTION
${body}.SH SEE ALSO
.BR rsyncdirector (1)
`;
}

/** Headings, fenced blocks, tables, lists and paragraphs, in their order; the title and comments left out. */
function blocksOf(markdown) {
  const blocks = [];
  const lines = markdown.split("\n");
  while (lines.length > 0) {
    const line = lines.shift();
    const fence = /^(`{3,})/.exec(line);
    const take = (test) => {
      const taken = [line];
      while (lines.length > 0 && test(lines[0])) taken.push(lines.shift());
      return taken;
    };
    if (fence !== null) {
      const code = take((next) => next !== fence[1]).slice(1);
      lines.shift();
      blocks.push({ kind: "code", text: code.join("\n") });
    } else if (/^#+ /.test(line)) {
      const [, marks, text] = /^(#+) (.*)$/.exec(line);
      if (marks.length > 1) blocks.push({ kind: "heading", level: marks.length, text });
    } else if (line.startsWith("|")) {
      blocks.push({ kind: "table", rows: take((next) => next.startsWith("|")).map(cellsOf) });
    } else if (/^[-*] /.test(line)) {
      blocks.push({
        kind: "item",
        text: take((next) => /^ {2}\S/.test(next))
          .join(" ")
          .slice(2),
      });
    } else if (line.trim() !== "" && !line.startsWith("<!--")) {
      blocks.push({ kind: "text", text: take((next) => /^[^\s|#`<-]/.test(next) || /^`[^`]/.test(next)).join(" ") });
    }
  }
  return blocks;
}

function cellsOf(row) {
  const cells = row.slice(1, row.lastIndexOf("|")).split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function renderBlock(block) {
  switch (block.kind) {
    case "heading":
      return `${block.level === 2 ? ".SH" : ".SS"} ${plain(block.level === 2 ? block.text.toUpperCase() : block.text)}\n`;
    case "code":
      return verbatim(block.text);
    case "item":
      return `.IP \\(bu 2\n${inline(block.text)}\n`;
    case "table":
      return renderTable(block.rows);
    default:
      return `.PP\n${inline(block.text)}\n`;
  }
}

/** Each row is a term with its meaning; what stands between the first and the last column goes before the meaning. */
function renderTable([header, , ...rows]) {
  return rows
    .map(([term, ...cells]) => {
      const named = cells.slice(0, -1).flatMap((cell, at) => (cell === "" ? [] : [`${header[at + 1]}: ${cell}.`]));
      return `.TP\n\\fB${plain(term)}\\fR\n${inline([...named, cells.at(-1) ?? ""].join(" "))}\n`;
    })
    .join("");
}

function withoutLinks(text) {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
}

function plain(text) {
  return escapeRoff(withoutLinks(text).replaceAll(/[`*]/g, ""));
}

/** Code in bold; a text in bold likewise. */
function inline(text) {
  return withoutLinks(text)
    .split(/(`[^`]*`|\*\*[^*]+\*\*)/)
    .map((part) =>
      /^(`|\*\*)/.test(part) ? `\\fB${escapeRoff(part.replaceAll(/^`|`$|\*\*/g, ""))}\\fR` : escapeRoff(part),
    )
    .join("")
    .replaceAll(/^([.'])/gm, "\\&$1");
}
