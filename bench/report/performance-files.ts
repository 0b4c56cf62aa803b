import type { Figure } from "../row.ts";
import { drawAreaChart } from "./area-chart.ts";
import { drawOverview } from "./overview-chart.ts";
import { chartDirectory, chartFile, overviewFile, type PageSource, writePage } from "./page.ts";

/** The page and its charts, by their paths below docs. */
export function describePerformance(source: PageSource): Map<string, string> {
  const { areas, results } = source;
  const files = new Map([["performance.md", writePage(source)]]);
  const add = (file: string, draw: () => string, figures: readonly Figure[]) => {
    if (figures.length > 0) files.set(`${chartDirectory}/${file}`, draw());
  };
  const all = results.rows.flatMap((row) => row.figures);
  add(overviewFile, () => drawOverview(all), all);
  for (const { title, rows } of areas) {
    const names = new Set(rows.map(({ name }) => name));
    const figures = results.rows.filter(({ name }) => names.has(name)).flatMap((row) => row.figures);
    add(chartFile(title), () => drawAreaChart(title, figures), figures);
  }
  return files;
}
