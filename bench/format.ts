import type { Series } from "./series.ts";

/** Three digits that count, or all before the point. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "?";
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

export function formatQuantity(value: number, unit: string): string {
  return unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** From the least to the most, and of how many; nothing where there is only one value. */
export function formatSpread({ min, max, values }: Series): string {
  return values.length > 1 ? `[${formatNumber(min)}..${formatNumber(max)}] n=${values.length}` : "";
}
