/** A piece of SVG that is well-formed by itself. */
export type Svg = string & { readonly svg: unique symbol };

type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, children: readonly Svg[] = []): Svg {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  const inside = children.length === 0 ? "/>" : `>\n${children.join("\n")}\n</${name}>`;
  return `<${name}${written.join("")}${inside}` as Svg;
}

export function textElement(name: string, attributes: Attributes, text: string): Svg {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return `<${name}${written.join("")}>${escaped(text)}</${name}>` as Svg;
}

/** Tenths of a pixel are enough. */
export function at(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The colours of both modes; each chart has a ground of its own, so that it can be read on any page. */
const style = `
.ground { fill: #ffffff; stroke: #d1d5db; }
text { font: 12px system-ui, "Segoe UI", "Liberation Sans", sans-serif; fill: #1f2937; }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
.head { font-size: 13px; font-weight: 600; }
.small { fill: #4b5563; }
.ours { fill: #1d4ed8; }
.peer { fill: #9ca3af; }
.missed { fill: #b91c1c; }
.spread { stroke: #111827; stroke-width: 1.2; }
.bar { stroke: #b45309; stroke-width: 1.5; stroke-dasharray: 4 3; }
.grid { stroke: #e5e7eb; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #111827; stroke: #374151; }
  text { fill: #f3f4f6; }
  .over { stroke: #111827; }
  .small { fill: #9ca3af; }
  .ours { fill: #60a5fa; }
  .peer { fill: #6b7280; }
  .missed { fill: #f87171; }
  .spread { stroke: #f9fafb; }
  .bar { stroke: #fbbf24; }
  .grid { stroke: #374151; }
}
`;

export const chartWidth = 820;

export interface Chart {
  readonly title: string;
  /** What can be seen, for those who cannot see it. */
  readonly description: string;
  readonly height: number;
}

/** A whole file. */
export function drawChart({ title, description, height }: Chart, content: readonly Svg[]): string {
  const ground = { class: "ground", x: 0.5, y: 0.5, width: chartWidth - 1, height: at(height - 1), rx: 6 };
  const whole = element(
    "svg",
    {
      ...{ xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${chartWidth} ${at(height)}` },
      ...{ width: chartWidth, height: at(height), role: "img", "aria-labelledby": "title description" },
    },
    [
      textElement("title", { id: "title" }, title),
      textElement("desc", { id: "description" }, description),
      textElement("style", {}, style),
      element("rect", ground),
      ...content,
    ],
  );
  return `${whole}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
