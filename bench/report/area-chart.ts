import { formatQuantity } from "../format.ts";
import { type Figure, isMet, type Side } from "../row.ts";
import type { Series } from "../series.ts";
import { at, drawChart, element, type Svg, textElement } from "./svg.ts";

interface Line {
  readonly name: string;
  readonly side: Side;
  readonly measured: Series;
}

interface Group {
  readonly figure: Figure;
  readonly unit: string;
  readonly lines: readonly Line[];
}

const [left, widest] = [24, 600];
const [headHeight, lineHeight, gap, top] = [36, 34, 18, 56];

/** What is compared in each figure, this program and its peers, as bars of one scale for each figure. */
export function drawAreaChart(title: string, figures: readonly Figure[]): string {
  const groups = figures.map(groupOf);
  const content: Svg[] = [...legend(title)];
  let y = top;
  for (const group of groups) {
    content.push(...drawGroup(group, y));
    y += heightOf(group);
  }
  const description = groups.map(describeGroup).join(" ");
  return drawChart({ title: `${title}: medians and spread`, description, height: y }, content);
}

/** A ratio shows what it is a ratio of; any other figure itself, beside what can be compared with it. */
function groupOf(figure: Figure): Group {
  const sides = figure.parts.flatMap((part) => (part.side === undefined ? [] : [{ ...part, side: part.side }]));
  const unit = figure.unit === "" ? (sides[0]?.unit ?? "") : figure.unit;
  const itself: Line[] = figure.unit === unit ? [{ name: "director", side: "ours", measured: figure.measured }] : [];
  return { figure, unit, lines: [...itself, ...sides.filter((part) => part.unit === unit)] };
}

function heightOf({ lines }: Group): number {
  return headHeight + lines.length * lineHeight + gap;
}

function drawGroup({ figure, unit, lines }: Group, y: number): Svg[] {
  const limit = figure.unit === unit ? figure.bar : undefined;
  const most = Math.max(...lines.map(({ measured }) => measured.max), limit ?? 0) || 1;
  const scale = (value: number) => at(left + (Math.max(value, 0) / most) * widest);
  const heading = [
    textElement("text", { class: "head", x: left, y: y + 13 }, figure.name),
    textElement("text", { class: verdictClass(figure), x: left, y: y + 30 }, verdict(figure)),
  ];
  const bars = lines.flatMap((line, index) => {
    const below = y + headHeight + index * lineHeight;
    return [
      ...drawLine(line, { y: below, scale }),
      ...(limit === undefined ? [] : [drawLimit(scale(limit), below)]),
      // Above the limit, which may be just there.
      textElement(
        "text",
        { class: "over", x: at(scale(line.measured.max) + 8), y: below + 27 },
        formatQuantity(line.measured.median, unit),
      ),
    ];
  });
  return [...heading, ...bars];
}

function drawLine(
  { name, side, measured }: Line,
  { y, scale }: { y: number; scale: (value: number) => number },
): Svg[] {
  const [from, to, middle] = [scale(measured.min), scale(measured.max), y + 23];
  const width = at(Math.max(scale(measured.median) - left, 1));
  return [
    textElement("text", { class: "small", x: left, y: y + 12 }, name),
    element("rect", { class: side, x: left, y: y + 17, width, height: 12, rx: 2 }),
    element("line", { class: "spread", x1: from, x2: to, y1: middle, y2: middle }),
    ...[from, to].map((x) => element("line", { class: "spread", x1: x, x2: x, y1: middle - 4, y2: middle + 4 })),
  ];
}

function drawLimit(x: number, y: number): Svg {
  return element("line", { class: "bar", x1: x, x2: x, y1: y + 16, y2: y + 31 });
}

function verdict(figure: Figure): string {
  const measured = formatQuantity(figure.measured.median, figure.unit);
  if (figure.bar === undefined) return figure.unit === "" ? `ratio ${measured}` : "";
  return `${measured}, bar ≤ ${formatQuantity(figure.bar, figure.unit)}: ${isMet(figure) === true ? "met" : "missed"}`;
}

function verdictClass(figure: Figure): string {
  return isMet(figure) === false ? "missed" : "small";
}

function legend(title: string): Svg[] {
  const entry = (x: number, side: Side, text: string) => [
    element("rect", { class: side, x, y: 30, width: 12, height: 12, rx: 2 }),
    textElement("text", { class: "small", x: x + 17, y: 40 }, text),
  ];
  return [
    textElement("text", { class: "head", x: left, y: 22 }, `${title}: shorter is better`),
    ...entry(left, "ours", "rsyncdirector"),
    ...entry(left + 110, "peer", "what it is compared with"),
    element("line", { class: "bar", x1: 320, x2: 338, y1: 36, y2: 36 }),
    textElement("text", { class: "small", x: 344, y: 40 }, "the bar"),
    element("line", { class: "spread", x1: 410, x2: 428, y1: 36, y2: 36 }),
    textElement("text", { class: "small", x: 434, y: 40 }, "least to most"),
  ];
}

function describeGroup({ figure, unit, lines }: Group): string {
  const values = lines.map(({ name, measured }) => `${name} ${formatQuantity(measured.median, unit)}`);
  return [`${figure.name}: ${values.join("; ")}`, verdict(figure)].filter(Boolean).join(". ").concat(".");
}
