import type { TransferProgress } from "../model/transfer.ts";

const progressLine =
  /^\s+([\d,.]+)([KMGTP]?)\s+(\d{1,3})%\s+([\d,.]+)([kMGT]?)B\/s\s+\S+\s*(?:\(xfr#(\d+), (?:to|ir)-chk=(\d+)\/(\d+)\))?\s*$/;

/** rsync divides rates by 1024 (progress.c). */
const rateUnits: Readonly<Record<string, number>> = { "": 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
/** With one `-h` sizes are in thousands; with two they would be in 1024s, which cannot be told apart. */
const sizeUnits: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

/** Reads one update of `--info=progress2`, or returns undefined for any other text. */
export function parseProgress(text: string): TransferProgress | undefined {
  const match = progressLine.exec(text);
  if (match === null) return undefined;
  const [, size = "", sizeUnit = "", percent, rate = "", rateUnit = "", transferred, toCheck, total] = match;
  return {
    bytes: Math.round(Number(size.replaceAll(",", "")) * (sizeUnits[sizeUnit] ?? 1)) || 0,
    percent: Number(percent),
    bytesPerSecond: Math.round(Number(rate.replaceAll(",", "")) * (rateUnits[rateUnit] ?? 1)) || 0,
    filesTransferred: optionalNumber(transferred),
    filesToCheck: optionalNumber(toCheck),
    filesTotal: optionalNumber(total),
  };
}

function optionalNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
