import { formatQuantity, formatSpread } from "./format.ts";
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

function bar({ bar: most, unit }: Figure): string {
  return most === undefined ? "" : `  bar ≤ ${formatQuantity(most, unit)}`;
}

function format(measured: Series, unit: string): string {
  return `${formatQuantity(measured.median, unit)} ${formatSpread(measured)}`.trimEnd();
}
