import { formatNumber } from "../format.ts";
import { type Figure, isMet } from "../row.ts";
import { at, chartWidth, drawChart, element, type Svg, textElement } from "./svg.ts";

interface Judged extends Figure {
  readonly bar: number;
}

const [left, right, top, lineHeight] = [24, 24, 62, 36];
const least = 0.01;

/** How far each figure is from its bar, on a logarithmic scale: what lies left of the bar is better. */
export function drawOverview(figures: readonly Figure[]): string {
  const judged = figures.filter((figure): figure is Judged => figure.bar !== undefined);
  const most = Math.max(2, ...judged.map(({ measured, bar }) => measured.max / bar));
  const width = chartWidth - left - right;
  const scale = (ratio: number) => {
    const share = Math.log(Math.max(ratio, least) / least) / Math.log(most / least);
    return at(left + share * width);
  };
  const height = top + judged.length * lineHeight + 14;
  const grid = [0.01, 0.1, 1, 10, 100].filter((value) => value <= most);
  const content = [
    textElement("text", { class: "head", x: left, y: 22 }, "Each figure as a part of its bar: further left is better"),
    ...grid.flatMap((value) => drawGrid(scale(value), { value, height })),
    ...judged.flatMap((figure, index) => drawFigure(figure, { scale, y: top + index * lineHeight })),
  ];
  const description = judged.map(describe).join(" ");
  return drawChart({ title: "Each figure as a part of its bar", description, height }, content);
}

function drawGrid(x: number, { value, height }: { value: number; height: number }): Svg[] {
  const label = value === 1 ? "the bar" : `${value} × the bar`;
  const anchor = value === least ? "start" : "middle";
  return [
    textElement("text", { class: "small", x, y: 44, "text-anchor": anchor }, label),
    element("line", { class: value === 1 ? "bar" : "grid", x1: x, x2: x, y1: 50, y2: height - 10 }),
  ];
}

function drawFigure(figure: Judged, { scale, y }: { scale: (ratio: number) => number; y: number }): Svg[] {
  const { measured, bar, name } = figure;
  const missed = isMet(figure) === false;
  const middle = y + 23;
  return [
    textElement(
      "text",
      { class: missed ? "missed over" : "small over", x: left, y: y + 13 },
      `${name}: ${wordsFor(figure)}`,
    ),
    element("line", {
      ...{ class: "spread", x1: scale(measured.min / bar), x2: scale(measured.max / bar), y1: middle, y2: middle },
    }),
    element("circle", { class: missed ? "missed" : "ours", cx: scale(measured.median / bar), cy: middle, r: 5 }),
  ];
}

function wordsFor(figure: Judged): string {
  const part = `${formatNumber(figure.measured.median / figure.bar)} × its bar`;
  return isMet(figure) === true ? `met, ${part}` : `MISSED, ${part}`;
}

function describe(figure: Judged): string {
  return `${figure.name}: ${wordsFor(figure)}.`;
}
