import { type Figure, isMet } from "./row.ts";
import type { Series } from "./series.ts";

/** The results as text, a figure to a line and its parts below it. */
export function formatFigures(figures: readonly Figure[]): string {
  return figures
    .flatMap((figure) => [
      `${verdict(figure)}  ${figure.name}: ${format(figure.measured, figure.unit)}${bar(figure)}`,
      ...figure.parts.map((part) => `        ${part.name}: ${format(part.measured, part.unit)}`),
      ...(figure.note === "" ? [] : [`        (${figure.note})`]),
    ])
    .join("\n");
}

function verdict(figure: Figure): string {
  const met = isMet(figure);
  if (met === undefined) return "      ";
  return met ? "met   " : "MISSED";
}

function bar({ bar: most, unit: name }: Figure): string {
  return most === undefined ? "" : `  bar ≤ ${most}${unit(name)}`;
}

function format({ median, min, max, values }: Series, unitName: string): string {
  const range = values.length > 1 ? ` [${round(min)}..${round(max)}] n=${values.length}` : "";
  return `${round(median)}${unit(unitName)}${range}`;
}

function unit(name: string): string {
  return name === "" ? "" : ` ${name}`;
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, "");
}
