/** How far a running rsync is, as its `--info=progress2` line says. */
export interface TransferProgress {
  bytes: number;
  /** Whole percent of what is known so far; rsync may take it back while it still lists files. */
  percent: number;
  bytesPerSecond: number;
  /** Files transferred so far and those still to check; null until rsync says so. */
  filesTransferred: number | null;
  filesToCheck: number | null;
  filesTotal: number | null;
}

/** At the present rate; null: it cannot be told. rsync's own estimate is not in the line that is read. */
export function millisecondsLeft({ bytes, percent, bytesPerSecond }: TransferProgress): number | null {
  if (percent < 1 || percent > 100 || bytesPerSecond <= 0) return null;
  return ((bytes * (100 - percent)) / percent / bytesPerSecond) * 1000;
}

/** rsync's `--stats` block. Every field may be missing: statistics never decide over a run. */
export interface TransferStats {
  filesTotal: number | null;
  filesCreated: number | null;
  filesDeleted: number | null;
  filesTransferred: number | null;
  totalBytes: number | null;
  transferredBytes: number | null;
  literalBytes: number | null;
  matchedBytes: number | null;
  sentBytes: number | null;
  receivedBytes: number | null;
}

/** What rsync did to one path, from its itemised output (`%i %n%L`). */
export interface ItemizedChange {
  operation: "sent" | "received" | "created" | "linked" | "attributes" | "deleted";
  kind: "file" | "directory" | "symlink" | "device" | "special" | "unknown";
  /** Relative to the transfer's root, with rsync's `\#ooo` escapes decoded. */
  path: string;
  /** Target of a symbolic or hard link. */
  linkTarget: string | null;
  isNew: boolean;
  /** Which attributes differ; empty for new and deleted paths. */
  differs: readonly ("checksum" | "size" | "time" | "permissions" | "owner" | "group" | "acl" | "xattr")[];
}
