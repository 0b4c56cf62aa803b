import { dirname } from "node:path";
import type { RsyncOptions } from "../base/rsync-options.ts";
import { parseDuration } from "../base/duration.ts";
import { splitWords } from "../base/shell-words.ts";
import { expandHome, withoutSlash } from "./paths.ts";
import type { Action, CommandAction, Csync2Action, SyncAction } from "./resolved.ts";
import { splitOpts } from "./rsync-opts.ts";
import type { RawAction, RawCommandAction, RawCsync2Action, RawRsyncBlock, RawSyncAction } from "./schema-sync.ts";

export interface ActionDefaults {
  readonly home: string;
  /** How the job reaches hosts that it does not name. */
  readonly ssh: Csync2Action["ssh"];
}

/** An action that has been checked. */
export function resolveAction(raw: RawAction, { home, ssh }: ActionDefaults): Action {
  switch (raw.action) {
    case "sync":
      return resolveSync(raw, home);
    case "command":
      return resolveCommand(raw, home);
    case "csync2":
      return resolveCsync2(raw, { home, ssh });
  }
}

function resolveSync(raw: RawSyncAction, home: string): SyncAction {
  return {
    kind: "sync",
    id: raw.id,
    sources: typeof raw.source === "string" ? [raw.source] : raw.source,
    dest: raw.dest,
    // A copy has no room for more words, which a list that was filled one by one has.
    opts: splitOpts(raw.opts ?? []).words.slice(),
    rsync: resolveRsync(raw.rsync ?? {}, home),
    extensions: raw.extensions ?? [],
    parallel: raw.parallel ?? 1,
  };
}

function resolveCsync2(raw: RawCsync2Action, { home, ssh }: ActionDefaults): Csync2Action {
  const file = raw.config_file === undefined ? undefined : expandHome(raw.config_file, home);
  return {
    kind: "csync2",
    id: raw.id,
    systemDir: file === undefined ? "/etc" : dirname(file),
    config: raw.config ?? (file === undefined ? undefined : csync2ConfigName(file)),
    hostname: raw.hostname,
    paths: [raw.path ?? []].flat().map((path) => withoutSlash(expandHome(path, home))),
    peers: [raw.peers ?? []].flat(),
    parallelUpdates: raw.parallel_updates ?? 1,
    rsyncThreshold: raw.rsync_threshold,
    resetAfter: raw.reset_after,
    opts: splitOpts(raw.opts ?? []).words,
    mode: raw.mode ?? "update",
    ssh,
  };
}

/** The NAME of `csync2_NAME.cfg`; undefined for `csync2.cfg`, and for what csync2 would not find. */
function csync2ConfigName(file: string): string | undefined {
  return /\/csync2_([a-z0-9]+)\.cfg$/.exec(file)?.[1];
}

function resolveCommand(raw: RawCommandAction, home: string): CommandAction {
  const split = splitWords(raw.command);
  const words = "words" in split ? split.words : [];
  return {
    kind: "command",
    id: raw.id,
    argv: raw.shell === true ? [raw.command] : [...words, ...(raw.args ?? [])],
    shell: raw.shell === true,
    cwd: raw.cwd === undefined ? undefined : expandHome(raw.cwd, home),
  };
}

/** Keys whose value takes another form; all others only change from snake_case to camelCase. */
const conversions: { readonly [Key in keyof RawRsyncBlock]?: (value: never, home: string) => Partial<RsyncOptions> } = {
  bwlimit: (value: number | string) => ({ bwlimit: String(value) }),
  timeout: (value: number | string) => ({ timeoutSeconds: Math.ceil((parseDuration(value) ?? 0) / 1000) }),
  exclude: (value: string | string[]) => ({ exclude: [value].flat() }),
  include: (value: string | string[]) => ({ include: [value].flat() }),
  filter: (value: string | string[]) => ({ filter: [value].flat() }),
  link_dest: (value: string | string[]) => ({ linkDest: [value].flat() }),
  exclude_from: (value: string, home) => ({ excludeFrom: expandHome(value, home) }),
  include_from: (value: string, home) => ({ includeFrom: expandHome(value, home) }),
};

function resolveRsync(raw: RawRsyncBlock, home: string): RsyncOptions {
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const convert = conversions[key as keyof RawRsyncBlock];
    if (convert === undefined) options[camelCase(key)] = value;
    else Object.assign(options, convert(value as never, home));
  }
  return options;
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
