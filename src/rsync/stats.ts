import type { TransferStats } from "../model/transfer.ts";

const lines: readonly (readonly [keyof TransferStats, string])[] = [
  ["filesTotal", "Number of files: "],
  ["filesCreated", "Number of created files: "],
  ["filesDeleted", "Number of deleted files: "],
  ["filesTransferred", "Number of regular files transferred: "],
  ["totalBytes", "Total file size: "],
  ["transferredBytes", "Total transferred file size: "],
  ["literalBytes", "Literal data: "],
  ["matchedBytes", "Matched data: "],
  ["sentBytes", "Total bytes sent: "],
  ["receivedBytes", "Total bytes received: "],
];

/** Whole numbers, with commas when the user's `-h` could not be overruled; "12.3K" is not exact enough. */
const wholeNumber = /^(\d[\d,]*)(?= |$)/;

const nothing: TransferStats = {
  filesTotal: null,
  filesCreated: null,
  filesDeleted: null,
  filesTransferred: null,
  totalBytes: null,
  transferredBytes: null,
  literalBytes: null,
  matchedBytes: null,
  sentBytes: null,
  receivedBytes: null,
};

/**
 * Finds the `--stats` block in a stream of lines. A block that begins again replaces the one before:
 * rsync writes it last, so a file whose name imitates its first line cannot stand for it.
 */
export function createStatsReader(): { addLine(line: string): void; stats(): TransferStats | null } {
  let found: TransferStats = nothing;
  return {
    addLine: (line) => {
      if (!/^(?:Number|Total|Literal|Matched) /.test(line)) return;
      const entry = lines.find(([, label]) => line.startsWith(label));
      if (entry === undefined) return;
      const [field, label] = entry;
      const digits = wholeNumber.exec(line.slice(label.length))?.[1];
      const value = digits === undefined ? null : Number(digits.replaceAll(",", ""));
      found = { ...(field === "filesTotal" ? nothing : found), [field]: value };
    },
    // A lone first line is a file name, or an rsync that was stopped while it wrote the block.
    stats: () => (Object.values(found).filter((value) => value !== null).length > 1 ? found : null),
  };
}

/** The statistics of several calls together; a field that one of them did not tell is not known. */
export function addStats(all: readonly (TransferStats | null)[]): TransferStats | null {
  const told = all.filter((stats) => stats !== null);
  const [first, ...others] = told;
  if (first === undefined) return null;
  return others.reduce((sum, next) => {
    const entries = lines.map(([field]) => {
      const [one, other] = [sum[field], next[field]];
      return [field, one === null || other === null ? null : one + other] as const;
    });
    return Object.fromEntries(entries) as unknown as TransferStats;
  }, first);
}
