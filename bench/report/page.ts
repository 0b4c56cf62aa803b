import { formatNumber, formatQuantity } from "../format.ts";
import type { Results, RowResult } from "../results.ts";
import { type Area, type Figure, isMet, type RowText } from "../row.ts";
import type { Series } from "../series.ts";

export interface PageSource {
  readonly areas: readonly Area[];
  readonly results: Results;
  /** Markdown with a heading of the first level; links as from a file beside the page. */
  readonly profiles: string;
}

export const chartDirectory = "performance";

/** The file of an area's chart, in the directory of charts. */
export function chartFile(title: string): string {
  return `chart-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.svg`;
}

export const overviewFile = "chart-overview.svg";

/** The whole of docs/performance.md. */
export function writePage({ areas, results, profiles }: PageSource): string {
  const parts = [
    ...introduction(results),
    ...areas.flatMap((area) => areaSection(area, results)),
    ...oneLevelDeeper(profiles),
  ];
  return `${parts.join("\n\n").trimEnd()}\n`;
}

function introduction(results: Results): string[] {
  const figures = results.rows.flatMap((row) => row.figures);
  return [
    "# Performance",
    "<!-- Generated from bench/results/latest.json, the texts in bench/rows and bench/profiles.md by `npm run generate`. Do not edit. -->",
    "What rsyncdirector costs, beside what one would use without it: rsync and ssh in a shell loop, lsyncd, fpsync, a script " +
      "that starts an rsync for each file, a bare Node. `npm run bench` installs these, measures all of it in turns in one run on one " +
      "machine, and writes this page. Distance is made by a proxy that delays every byte.",
    "Each figure is a median, with the least and the most of so many rounds. A ratio is that of each round, so that a machine " +
      "that is busy for a while weighs on both sides. The bars were set before anything was measured.",
    ...(results.rows.length === 0
      ? ["Nothing has been measured yet."]
      : [...verdicts(results), overview(figures), ...where(results)]),
  ];
}

function verdicts(results: Results): string[] {
  const judged = results.rows.flatMap(({ name, figures }) => figures.map((figure) => ({ row: name, figure })));
  const withBar = judged.filter(({ figure }) => figure.bar !== undefined);
  const missed = withBar.filter(({ figure }) => isMet(figure) === false);
  const count = `**${withBar.length - missed.length} of ${withBar.length} bars are met.**`;
  if (missed.length === 0) return [count];
  const list = missed.map(({ row, figure }) => `- ${cell(figure.name)}: ${barWords(figure)} (\`${row}\`)`);
  return [`${count} These are not; why stands where they are measured:`, list.join("\n")];
}

function overview(figures: readonly Figure[]): string {
  return image(
    "Each figure as a part of its bar; the tables below have the same figures",
    overviewFile,
    figures.length > 0,
  );
}

function image(alternative: string, file: string, there: boolean): string {
  return there ? `![${alternative}](${chartDirectory}/${file})` : "";
}

function where({ rows }: Results): string[] {
  const machines = [...new Set(rows.map(({ machine }) => machine))];
  const commits = [...new Set(rows.map(({ commit }) => commit))];
  const dates = rows.map(({ date }) => date.slice(0, 10)).toSorted();
  const [first = "", last = ""] = [dates[0], dates.at(-1)];
  const minutes = Math.round(rows.reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  return [
    "## Where it was measured",
    [
      ...machines.map((machine) => `- ${machine}`),
      `- ${first === last ? first : `${first} to ${last}`}, ${minutes} minutes, commit ${commits.join("; ")}`,
    ].join("\n"),
    "Both sides of every connection share this machine. Each row below names the load it began with.",
  ];
}

function areaSection({ title, rows }: Area, results: Results): string[] {
  const measured = rows.map((row) => ({ row, result: results.rows.find(({ name }) => name === row.name) }));
  const any = measured.some(({ result }) => result !== undefined);
  const alternative = `${title}: what is compared, as bars; the tables below have the same figures`;
  return [
    `## ${title}`,
    image(alternative, chartFile(title), any),
    ...measured.flatMap(({ row, result }) => rowSection(row, result)),
  ].filter((part) => part !== "");
}

function rowSection({ name, title, explains }: RowText, result: RowResult | undefined): string[] {
  const heading = `### ${title}`;
  if (result === undefined) return [heading, `Not measured yet (\`npm run bench -- ${name}\`).`];
  const notes = [...new Set(result.figures.map(({ note }) => note).filter((note) => note !== ""))];
  const load = `load ${formatNumber(result.loadAtStart)}, ${result.othersAtStart} % of the processors used by others`;
  const date = `${result.date.slice(0, 16).replace("T", " ")} UTC`;
  return [
    heading,
    table(result.figures),
    `**What it goes to.** ${explains}`,
    `<sub>\`npm run bench -- ${name}\`, ${date}, ${load}, ${result.seconds} s. ${notes.map((note) => `${cell(note)}.`).join(" ")}</sub>`,
  ];
}

function table(figures: readonly Figure[]): string {
  const lines = figures.flatMap((figure) => [
    line(
      `**${cell(figure.name)}**`,
      figure,
      `**${formatQuantity(figure.measured.median, figure.unit)}**`,
      barWords(figure),
    ),
    ...figure.parts.map((part) => line(cell(part.name), part, formatQuantity(part.measured.median, part.unit), "")),
  ]);
  return ["| | median | least to most | rounds | bar |", "| --- | ---: | ---: | ---: | --- |", ...lines].join("\n");
}

function line(name: string, { measured }: { measured: Series }, median: string, bar: string): string {
  const { min, max, values } = measured;
  return `| ${name} | ${median} | ${formatNumber(min)} to ${formatNumber(max)} | ${values.length} | ${bar} |`;
}

function barWords({ bar, unit, measured }: Figure): string {
  if (bar === undefined) return "";
  const most = `≤ ${formatQuantity(bar, unit)}`;
  if (isMet({ measured, bar }) === true) return `${most}: met`;
  const over = Math.ceil((measured.median / bar - 1) * 100);
  return `${most}: **missed** by ${formatNumber(over)} % (${formatQuantity(measured.median, unit)})`;
}

/** Nothing in it may end a cell or begin markup. */
function cell(text: string): string {
  return text.replaceAll(/[|<*\\]/g, (sign) => (sign === "<" ? "&lt;" : `\\${sign}`));
}

function oneLevelDeeper(markdown: string): string[] {
  let fenced = false;
  const lines = markdown
    .trim()
    .split("\n")
    .map((text) => {
      if (/^ *```/.test(text)) fenced = !fenced;
      return !fenced && /^#+ /.test(text) ? `#${text}` : text;
    });
  return [lines.join("\n")];
}
