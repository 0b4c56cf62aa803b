import type { Positions } from "../positions.ts";
import type { KeyPath } from "../problem.ts";
import { isRecord, type Tree } from "../tree.ts";
import type { UpgradeNote } from "./upgrade-note.ts";

/** What the watching script did when its configuration did not say. */
const scriptDefaults = {
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
};

const levels: Readonly<Record<string, string>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  WARN: "warn",
  ERROR: "error",
  CRITICAL: "error",
};

/**
 * The JSON configuration of a single-directory watching script (`source_dir`, `remote_sync`,
 * `rsync_options` …) becomes one watched job. Keys that have no counterpart are named in the notes;
 * unknown ones stay and are refused by the schema.
 */
export function upgradeSeedJson(root: Tree, positions: Positions): UpgradeNote[] {
  if (!Object.hasOwn(root, "source_dir") || !isRecord(root["remote_sync"]) || Object.hasOwn(root, "jobs")) return [];
  return new SeedUpgrade(root, positions).run();
}

class SeedUpgrade {
  readonly #root: Tree;
  readonly #positions: Positions;
  readonly #notes: UpgradeNote[] = [];

  constructor(root: Tree, positions: Positions) {
    this.#root = root;
    this.#positions = positions;
  }

  run(): UpgradeNote[] {
    this.#note([], "the format of the watching script was read as one watched job");
    const remote = this.#take("remote_sync", ["remote_user", "remote_host", "remote_dest_dir", "ssh_key_path"]);
    const options = this.#take("rsync_options", Object.keys(scriptDefaults.rsync));
    const extensions = this.#remove("monitored_extensions") ?? scriptDefaults.extensions;
    const action: Tree = {
      action: "sync",
      id: "source",
      source: this.#remove("source_dir"),
      ...rename(remote, { remote_dest_dir: "dest" }),
      rsync: { ...scriptDefaults.rsync, ...options },
      extensions,
    };
    this.#positions.inherit(action, [remote, this.#root]);
    this.#positions.rename(action, "remote_dest_dir", "dest");
    this.#positions.rename(action, "source_dir", "source");
    if (isRecord(action["rsync"])) this.#positions.inherit(action["rsync"], [options]);
    const job: Tree = {
      id: "watched",
      type: "remote",
      ...rename(remote, { remote_host: "host", remote_user: "user", ssh_key_path: "private_ssh_key" }),
      watch: { debounce: this.#remove("debounce_time") ?? scriptDefaults.debounce, extensions },
      actions: [action],
    };
    this.#positions.inherit(job, [remote]);
    for (const [from, to] of [
      ["remote_host", "host"],
      ["remote_user", "user"],
      ["ssh_key_path", "private_ssh_key"],
    ] as const) {
      this.#positions.rename(job, from, to);
    }
    const tracking = this.#trackChanges();
    if (tracking !== undefined) job["track_changes"] = tracking;
    this.#stateFile();
    this.#logging();
    this.#root["rsync_id"] ??= "imported";
    this.#root["jobs"] = [job];
    this.#note(
      ["jobs", 0, "watch"],
      "deletions are not carried over: set rsync.delete in the action if the target is to lose what the source loses",
    );
    return this.#notes;
  }

  #note(path: KeyPath, message: string): void {
    this.#notes.push({ path, message });
  }

  /** Takes a block out of the root: its known keys; others are put back to be refused as unknown. */
  #take(key: string, known: readonly string[]): Tree {
    const block = this.#root[key];
    if (!isRecord(block)) return {};
    const unknown = Object.keys(block).filter((name) => !known.includes(name));
    for (const name of unknown) this.#note([key], `${key}.${name} has no counterpart and was left out`);
    delete this.#root[key];
    const taken = Object.fromEntries(Object.entries(block).filter(([name]) => known.includes(name)));
    this.#positions.inherit(taken, [block]);
    return taken;
  }

  #remove(key: string): unknown {
    const value = this.#root[key];
    delete this.#root[key];
    return value;
  }

  #stateFile(): void {
    if (this.#remove("state_file") === undefined) return;
    this.#note(
      [],
      "state_file was left out: what has been copied is found out by rsync, and history is kept in state_dir",
    );
  }

  #logging(): void {
    const logging = this.#root["logging"];
    if (!isRecord(logging)) return;
    const taken = this.#take("logging", ["log_file", "log_level"]);
    const level = taken["log_level"];
    const known = typeof level === "string" ? levels[level.toUpperCase()] : "info";
    if (known === undefined && level !== undefined)
      this.#note([], `logging.log_level ${JSON.stringify(level)} is not known: info was taken`);
    const path = taken["log_file"];
    const output = path === undefined ? { type: "stdout" } : { type: "file", path };
    this.#root["logging"] = [{ ...output, level: known ?? "info" }];
  }

  #trackChanges(): unknown {
    if (!isRecord(this.#root["change_tracking"])) return undefined;
    const taken = this.#take("change_tracking", ["backup_dir", "change_log_file", "diff_tool"]);
    if (taken["diff_tool"] !== undefined)
      this.#note([], "change_tracking.diff_tool was left out: differences are made by the program itself");
    const { backup_dir: backupDir, change_log_file: logFile } = taken;
    return {
      ...(backupDir === undefined ? {} : { backup_dir: backupDir }),
      ...(logFile === undefined ? {} : { log_file: logFile }),
    };
  }
}

/** The keys of `names` under their new names; the others are left out. */
function rename(block: Tree, names: Readonly<Record<string, string>>): Tree {
  return Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => (Object.hasOwn(block, from) ? [[to, block[from]]] : [])),
  );
}
