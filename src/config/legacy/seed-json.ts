import { parseDuration } from "../../base/duration.ts";
import type { Positions } from "../positions.ts";
import type { KeyPath } from "../problem.ts";
import { isRecord, type Tree } from "../tree.ts";
import { readLogging, readRsyncOptions, readTracking, scriptDefaults } from "./seed-json-blocks.ts";
import type { UpgradeNote } from "./upgrade-note.ts";

/** The keys that the script read; `watch` is ours, for what its file could not say. */
const scriptKeys: readonly string[] = [
  ...["source_dir", "state_file", "remote_sync", "logging", "debounce_time", "monitored_extensions"],
  ...["rsync_options", "change_tracking", "watch"],
];

const blockKeys: readonly string[] = ["remote_sync", "rsync_options", "watch"];

/** Keys of the present format that may stand beside them. */
const presentKeys: readonly string[] = [
  ...["rsync_id", "cron_schedule", "cron_dialect", "timezone", "jitter", "on_missed", "starting_deadline"],
  ...["pid_file_dir", "state_dir", "metrics", "history", "ssh", "lock", "include", "defaults", "notify", "web"],
];

/**
 * The JSON configuration of a script that watches one directory (`source_dir`, `remote_sync`,
 * `rsync_options` …) becomes one watched job. What a key meant to the script it means here, also when it
 * is missing; a key that the script did not read either is named in a note and left out.
 */
export function upgradeSeedJson(root: Tree, positions: Positions): UpgradeNote[] {
  if (Object.hasOwn(root, "jobs") || !(Object.hasOwn(root, "source_dir") || isRecord(root["remote_sync"]))) return [];
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
    const root = this.#root;
    const own = { ...root };
    this.#positions.inherit(own, [root]);
    this.#dropUnknown(own);
    this.#note([], "the file of the watching script was read as one watched job");
    const logging = this.#logging(own);
    const job = this.#job(own);
    // A block that is none stays, to be refused.
    for (const key of scriptKeys) if (!blockKeys.includes(key) || isRecord(root[key])) delete root[key];
    if (logging !== undefined) root["logging"] = logging;
    if (root["rsync_id"] === undefined) {
      root["rsync_id"] = "imported";
      this.#note(
        ["rsync_id"],
        "imported was taken for a name: add rsync_id to choose another, one for each instance on this host",
      );
    }
    root["jobs"] = [job];
    return this.#notes;
  }

  #job(own: Tree): Tree {
    const remote = this.#block(own, "remote_sync", ["remote_user", "remote_host", "remote_dest_dir", "ssh_key_path"]);
    const action = this.#action(own, remote);
    const tracking = this.#tracking(own);
    const job: Tree = {
      id: "watched",
      type: "remote",
      ...pick(remote, { remote_host: "host" }),
      user: remote["remote_user"] ?? scriptDefaults.user,
      ...pick(remote, { ssh_key_path: "private_ssh_key" }),
      watch: this.#watch(own),
      ...(tracking === undefined ? {} : { track_changes: tracking }),
      actions: [action],
    };
    this.#inherit(job, [remote, own], {
      remote_host: "host",
      remote_user: "user",
      ssh_key_path: "private_ssh_key",
      change_tracking: "track_changes",
    });
    return job;
  }

  #watch(own: Tree): Tree {
    const added = own["watch"];
    const debounce = own["debounce_time"] ?? scriptDefaults.debounce;
    const quiet = typeof debounce === "number" || typeof debounce === "string" ? (parseDuration(debounce) ?? 0) : 0;
    const watch: Tree = {
      debounce,
      // The script waited for quiet without end; ours has a latest moment, which must not come before.
      ...(quiet > 60_000 ? { max_delay: (2 * quiet) / 1000 } : {}),
      ...(quiet > 3_600_000 ? { full_sync_interval: (2 * quiet) / 1000 } : {}),
      ...(isRecord(added) ? added : {}),
    };
    this.#inherit(watch, [added, own], { debounce_time: "debounce" });
    if (watch["delete"] === undefined) {
      this.#note(
        ["jobs", 0, "watch"],
        'what is deleted in source_dir stays at the target, for the file does not say whether the script deleted. If it did, add delete: watch (to the JSON file "watch": {"delete": "watch"})',
      );
    }
    return watch;
  }

  #action(own: Tree, remote: Tree): Tree {
    const { source_dir: source } = own;
    const options = this.#block(own, "rsync_options", Object.keys(scriptDefaults.rsync));
    const { rsync, opts } = readRsyncOptions(options);
    this.#positions.inherit(rsync, [options]);
    const action: Tree = {
      action: "sync",
      id: "source",
      // The script knew files by their path below the directory, whether a slash was written or not.
      ...(source === undefined ? {} : { source: typeof source === "string" ? source.replace(/\/*$/, "/") : source }),
      ...pick(remote, { remote_dest_dir: "dest" }),
      ...(opts.length === 0 ? {} : { opts }),
      rsync,
      extensions: this.#extensions(own),
    };
    this.#inherit(action, [remote, own], {
      source_dir: "source",
      remote_dest_dir: "dest",
      rsync_options: "rsync",
      monitored_extensions: "extensions",
    });
    this.#note(
      ["jobs", 0, "actions", 0, "dest"],
      "files keep the directories that they have below source_dir; the script without deletions put every file into remote_dest_dir itself, and what it put there stays",
    );
    if (opts.length > 0)
      this.#note(["rsync_options", "archive"], "archive is off: -r was added, for whole directories are copied");
    return action;
  }

  #extensions(own: Tree): unknown {
    const given = own["monitored_extensions"];
    if (given === undefined) {
      this.#note(
        ["jobs", 0, "actions", 0, "extensions"],
        "monitored_extensions is missing: .rrd and .txt were taken, as the script did (with deletions .properties and .meta too)",
      );
    } else if (Array.isArray(given) && given.length === 0) {
      this.#note(["monitored_extensions"], "is empty: every file is copied, while the script copied none");
    }
    return given ?? scriptDefaults.extensions;
  }

  #logging(own: Tree): unknown {
    if (!isRecord(own["logging"])) return own["logging"];
    const block = this.#block(own, "logging", ["log_file", "log_level"]);
    const { output, unknownLevel } = readLogging(block);
    this.#inherit(output, [block], { log_file: "path", log_level: "level" });
    if (unknownLevel)
      this.#note(["logging", "log_level"], "is not a level that the script knew: info was taken, as it did");
    const outputs = [output];
    this.#positions.inherit(outputs, [block]);
    return outputs;
  }

  #tracking(own: Tree): unknown {
    if (!isRecord(own["change_tracking"])) return own["change_tracking"];
    const block = this.#block(own, "change_tracking", ["backup_dir", "change_log_file", "diff_tool"]);
    const tracking = readTracking(block);
    this.#inherit(tracking, [block], { change_log_file: "log_file" });
    return tracking;
  }

  #dropUnknown(own: Tree): void {
    if (own["state_file"] !== undefined) {
      this.#note(
        ["state_file"],
        "is not used: rsync finds out what the target has, and what is still to be sent is kept in state_dir",
      );
    }
    for (const key of Object.keys(own)) {
      if (scriptKeys.includes(key) || presentKeys.includes(key)) continue;
      this.#note([key], "is not a key of the script and was left out");
      delete this.#root[key];
    }
  }

  /** The known keys of a block; what else is in it is named. */
  #block(own: Tree, key: string, known: readonly string[]): Tree {
    const block = own[key];
    if (!isRecord(block)) return {};
    for (const name of Object.keys(block)) {
      if (!known.includes(name)) this.#note([key, name], "is not a key of the script and was left out");
    }
    const taken = Object.fromEntries(Object.entries(block).filter(([name]) => known.includes(name)));
    this.#positions.inherit(taken, [block]);
    return taken;
  }

  #inherit(object: Tree, sources: readonly unknown[], names: Readonly<Record<string, string>>): void {
    this.#positions.inherit(object, sources);
    for (const [from, to] of Object.entries(names)) this.#positions.rename(object, from, to);
  }

  #note(path: KeyPath, message: string): void {
    this.#notes.push({ path, message });
  }
}

/** The keys of `names` under their new names; the others are left out. */
function pick(block: Tree, names: Readonly<Record<string, string>>): Tree {
  return Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => (Object.hasOwn(block, from) ? [[to, block[from]]] : [])),
  );
}
