import type { Tree } from "../tree.ts";

/** What the watching script did when its configuration did not say. */
export const scriptDefaults = {
  user: "root",
  debounce: 5,
  extensions: [".rrd", ".txt"],
  rsync: {
    archive: true,
    compress: true,
    verbose: true,
    update: true,
    checksum: true,
    partial: true,
    bwlimit: 1000,
    itemize_changes: true,
    stats: true,
  },
} as const;

const levels: Readonly<Record<string, string>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "error",
};

const diffTools: Readonly<Record<string, string>> = { difflib: "builtin", diff: "diff" };

/** `rsync_options` with what the script took for granted. What it took for false it did not pass on. */
export function readRsyncOptions(options: Tree): { rsync: Tree; opts: string[] } {
  const rsync: Tree = { ...scriptDefaults.rsync, ...options };
  for (const [key, value] of Object.entries(rsync)) {
    if (key === "bwlimit" && (value === 0 || value === false || value === null || value === "")) delete rsync[key];
    else if (value === null || value === 0) rsync[key] = false;
    else if (value === 1 && key !== "bwlimit") rsync[key] = true;
  }
  return { rsync, opts: rsync["archive"] === false ? ["-r"] : [] };
}

/** `logging`: a file in a readable form, as the script wrote it. A level that is no text stays, to be refused. */
export function readLogging({ log_file: path, log_level: level }: Tree): { output: Tree; unknownLevel: boolean } {
  const known = typeof level === "string" ? levels[level.toUpperCase()] : level;
  const place = path === undefined ? { type: "stdout" } : { type: "file", path, format: "text" };
  return { output: { ...place, level: known ?? "info" }, unknownLevel: known === undefined && level !== undefined };
}

/** `change_tracking`; a tool that is not known stays, to be refused. */
export function readTracking(block: Tree): Tree {
  const { backup_dir: backupDir, change_log_file: logFile, diff_tool: tool } = block;
  return {
    ...(backupDir === undefined ? {} : { backup_dir: backupDir }),
    ...(logFile === undefined ? {} : { log_file: logFile }),
    ...(tool === undefined ? {} : { diff_tool: typeof tool === "string" ? (diffTools[tool] ?? tool) : tool }),
  };
}
