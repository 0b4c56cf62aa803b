import type { RsyncOptions } from "../base/rsync-options.ts";
import { parseDuration } from "../base/duration.ts";
import { splitWords } from "../base/shell-words.ts";
import { expandHome } from "./paths.ts";
import type { Action, CommandAction, Csync2Action, SyncAction } from "./resolved.ts";
import { splitOpts } from "./rsync-opts.ts";
import type { RawAction, RawCommandAction, RawCsync2Action, RawRsyncBlock, RawSyncAction } from "./schema-sync.ts";

/** An action that has been checked. */
export function resolveAction(raw: RawAction, home: string): Action {
  switch (raw.action) {
    case "sync":
      return resolveSync(raw, home);
    case "command":
      return resolveCommand(raw, home);
    case "csync2":
      return resolveCsync2(raw, home);
  }
}

function resolveSync(raw: RawSyncAction, home: string): SyncAction {
  return {
    kind: "sync",
    id: raw.id,
    sources: [raw.source].flat(),
    dest: raw.dest,
    opts: splitOpts(raw.opts ?? []).words,
    rsync: resolveRsync(raw.rsync ?? {}, home),
    extensions: raw.extensions ?? [],
  };
}

function resolveCsync2(raw: RawCsync2Action, home: string): Csync2Action {
  return {
    kind: "csync2",
    id: raw.id,
    config: raw.config,
    configFile: raw.config_file === undefined ? undefined : expandHome(raw.config_file, home),
    hostname: raw.hostname,
    peers: [raw.peers ?? []].flat(),
    parallelUpdates: raw.parallel_updates,
    rsyncThreshold: raw.rsync_threshold,
    resetAfter: raw.reset_after,
    paths: [raw.path ?? []].flat(),
    opts: splitOpts(raw.opts ?? []).words,
    mode: raw.mode ?? "update",
  };
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
