import { hostname as systemHostname } from "node:os";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { describeError, OperatorError } from "../base/errors.ts";
import { quoteWord } from "../base/shell-words.ts";
import { type Csync2Flags, readCsync2Flags } from "./csync2-flags.ts";
import { type Csync2Cluster, clusterOf } from "./csync2-peers.ts";
import { type Csync2Settings, readCsync2Settings } from "./csync2-settings.ts";
import { unwatched } from "./csync2-unwatched.ts";
import { checkImported, type ImportedConfig } from "./import-config.ts";
import type { ConfigProblem } from "./problem.ts";
import type { Tree } from "./tree.ts";

/** Whether `import` is given a configuration of csync2 rather than one of an older director or script. */
export function isCsync2Config(file: string): boolean {
  return file.endsWith(".cfg");
}

/**
 * One watched job with a csync2 action does what the script did that watched what `file` includes; `words` are
 * the script's flags. Throws an `OperatorError` when the file cannot be read or a flag not be understood.
 */
export async function importCsync2(
  file: string,
  words: readonly string[],
  { ownName = systemHostname() }: { ownName?: string } = {},
): Promise<ImportedConfig> {
  const flags = readCsync2Flags(words);
  const settings = await readSettings(resolve(file));
  const notes: Note[] = [...flags.notes];
  const cluster = findCluster(settings, { flags, ownName, file, note: (note) => notes.push(note) });
  const tree = buildTree(flags, { settings, cluster, ownName, file, note: (note) => notes.push(note) });
  const { warnings, problems } = checkImported(tree);
  return { tree, warnings: [...notes.map((note) => asWarning(note, file)), ...warnings], problems };
}

interface Note {
  /** The flag or key that it is about; empty: the file. */
  readonly flag: string;
  readonly message: string;
}

interface Context {
  readonly file: string;
  readonly note: (note: Note) => void;
}

/** undefined: the file does not say what this host has to do, which is noted. */
function findCluster(
  settings: Csync2Settings,
  { flags, ownName, file, note }: Context & { flags: Csync2Flags; ownName: string },
): Csync2Cluster | undefined {
  try {
    return clusterOf(settings, { ownName: flags.hostname ?? ownName, wanted: flags.peers, file });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    note({ flag: flags.hostname === undefined ? "" : "-N", message: error.message });
    return undefined;
  }
}

function buildTree(
  flags: Csync2Flags,
  {
    settings,
    cluster,
    ownName,
    file,
    note,
  }: Context & {
    settings: Csync2Settings;
    cluster: Csync2Cluster | undefined;
    ownName: string;
  },
): Tree {
  const place =
    flags.configName === undefined ? configPlace(flags.config ?? resolve(file)) : { config: flags.configName };
  const roots = outermost(cluster?.roots ?? []);
  if (cluster !== undefined && roots.length === 0) note({ flag: "", message: "includes no directory of this host" });
  const exclude = unwatched(settings, { own: flags.hostname ?? ownName, roots });
  const { numBatchedChangesThreshold: batch } = flags;
  const { csync2Words: words } = flags;
  return {
    rsync_id: "csync2",
    ...(flags.debug ? { logging: [{ type: "stdout", level: "debug" }] } : {}),
    jobs: [
      {
        id: "csync2",
        type: "local",
        watch: {
          ...(roots.length === 0 ? {} : { paths: roots }),
          ...(exclude.length === 0 ? {} : { exclude }),
          ...timings(flags, note),
          ...atLeastOne("max_batch", batch, "--num-batched-changes-threshold", note),
          // A batch as long as the script made it must not become a complete check here.
          ...(batch > 20_000 ? { full_sync_threshold: batch } : {}),
        },
        actions: [
          {
            action: "csync2",
            id: "peers",
            ...place,
            ...(flags.hostname === undefined ? {} : { hostname: flags.hostname }),
            ...(flags.peers.length === 0 ? {} : { peers: [...flags.peers] }),
            parallel_updates: parallel(flags, cluster),
            ...(flags.rsyncThreshold === undefined
              ? {}
              : atLeastOne("rsync_threshold", flags.rsyncThreshold, "--rsync-threshold", note)),
            ...(flags.numLinesUntilReset < 1 ? {} : { reset_after: Math.round(flags.numLinesUntilReset) }),
            ...(words.length === 0 ? {} : { opts: [words.map(quoteWord).join(" ")] }),
          },
        ],
      },
    ],
  };
}

/** csync2 finds `/etc/csync2.cfg` by itself, and `/etc/csync2_NAME.cfg` by its name. */
function configPlace(path: string): Tree {
  const name = /^\/etc\/csync2(?:_([a-z0-9]+))?\.cfg$/.exec(path);
  if (name === null) return { config_file: path };
  return name[1] === undefined ? {} : { config: name[1] };
}

function timings({ checkInterval, maxWaitTime, fullSyncInterval }: Csync2Flags, note: Context["note"]): Tree {
  const timing: Tree = { debounce: checkInterval };
  if (maxWaitTime > 0) timing["max_delay"] = Math.max(maxWaitTime, checkInterval);
  else note({ flag: "--max-wait-time", message: "0 has no counterpart and was left out" });
  if (maxWaitTime > 0 && maxWaitTime < checkInterval)
    note({ flag: "--max-wait-time", message: "is shorter than --check-interval, and was made as long" });
  if (fullSyncInterval > 0) timing["full_sync_interval"] = Math.max(fullSyncInterval, checkInterval);
  else {
    note({
      flag: "--full-sync-interval",
      message: "0 turned full syncs off; here one is made every hour, which finds what a watch has missed",
    });
  }
  return timing;
}

/** The script's 1 meant one process for each peer, its 0 one peer after the other. */
function parallel({ parallelUpdates }: Csync2Flags, cluster: Csync2Cluster | undefined): number {
  if (parallelUpdates === 1) return Math.max(1, cluster?.peers.length ?? 1);
  return Math.max(1, Math.round(parallelUpdates));
}

function atLeastOne(key: string, value: number, flag: string, note: Context["note"]): Tree {
  if (value >= 1) return { [key]: Math.round(value) };
  note({ flag, message: "0 has no counterpart and was left out" });
  return {};
}

/** Without those that lie in another one. */
function outermost(roots: readonly string[]): string[] {
  const sorted = roots.toSorted();
  return sorted.filter(
    (root) => !sorted.some((other) => other !== root && root.startsWith(`${other.replace(/\/$/, "")}/`)),
  );
}

async function readSettings(file: string): Promise<Csync2Settings> {
  try {
    return await readCsync2Settings(file, readText);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(error.message, { kind: "usage", cause: error });
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new OperatorError(`${file} cannot be read: ${describeError(error)}`, { cause: error });
  }
}

function asWarning({ flag, message }: Note, file: string): ConfigProblem {
  const about = flag === "" ? basename(file) : flag;
  return { file: about, line: undefined, column: undefined, path: "", message };
}
