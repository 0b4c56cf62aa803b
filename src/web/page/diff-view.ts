import { html, type Html } from "./html.ts";

/** A page with more lines than this would be slow to read, and to show. */
const shownLines = 2000;

/** A unified difference. The signs at the beginning of its lines stay, so that it can be read without colours. */
export function diffView(diff: string, wholeHref: string): Html {
  const lines = diff.replace(/\n$/, "").split("\n");
  const rest = lines.length - shownLines;
  return html`<pre class="diff" tabindex="0" role="region" aria-label="Difference">
${lines.slice(0, shownLines).map(lineView)}</pre>
    ${rest > 0 && html`<p>${rest} more lines are in <a href="${wholeHref}">the whole difference</a>.</p>`}`;
}

/** Of the first two lines, `---` and `+++` are no lines of the files. */
function lineView(line: string, index: number): Html {
  const kind = index < 2 && /^(---|\+\+\+) /.test(line) ? "head" : kindOf(line);
  if (kind === "added") return html`<ins>${line}</ins> `;
  if (kind === "removed") return html`<del>${line}</del> `;
  return html`<span class="${kind}">${line}</span> `;
}

function kindOf(line: string): string {
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "same";
}
