import Type, { type Static } from "typebox";
import {
  bandwidth,
  block,
  choice,
  duration,
  flag,
  integer,
  oneOfBlocks,
  text,
  textList,
  textOrList,
} from "./schema-parts.ts";

const { Optional } = Type;

const flagOf = (option: string, what: string) =>
  Optional(flag({ description: `\`${option}\`: ${what}.`, default: false }));

export const rsyncBlock = block("rsync options", "Options of rsync by name, instead of or together with `opts`.", {
  archive: Optional(
    flag({ description: "`--archive`: recursive, keeping links, permissions, times, owners.", default: false }),
  ),
  compress: flagOf("--compress", "compress while transferring"),
  update: flagOf("--update", "leave files alone that are newer at the destination"),
  checksum: flagOf("--checksum", "compare contents rather than size and time (reads everything)"),
  partial: flagOf("--partial", "keep a file whose transfer was interrupted"),
  verbose: flagOf("--verbose", "name what is transferred in the log"),
  itemize_changes: flagOf("--itemize-changes", "say for every path what changed"),
  stats: flagOf("--stats", "statistics at the end, for which the program asks in any case"),
  progress: Optional(
    flag({
      description: "`--info=progress2`: how far the whole transfer is. `false`: nobody is told.",
      default: true,
    }),
  ),
  recursion: Optional(
    choice(["auto", "incremental", "whole"], {
      description:
        "`whole`: `--no-inc-recursive`, one list of the whole tree first. `incremental`: list by list, as rsync does by itself. `auto`: `whole` for a tree of 1,000 to 500,000 files on a host that is far away.",
      default: "auto",
    }),
  ),
  delete: Optional(
    Type.Unsafe<boolean | "before" | "during" | "delay" | "after">({
      type: ["boolean", "string"],
      enum: [true, false, "before", "during", "delay", "after"],
      description: "`--delete`: remove from the destination what the source does not have; a text chooses the time.",
      default: false,
      examples: [true, "delay"],
    }),
  ),
  delete_excluded: flagOf("--delete-excluded", "remove excluded files from the destination too"),
  max_delete: Optional(
    integer(0, 2_147_483_647, {
      description: "`--max-delete`: stop deleting after so many; the job then fails.",
      examples: [100],
    }),
  ),
  hard_links: flagOf("--hard-links", "keep hard links"),
  acls: flagOf("--acls", "keep access control lists"),
  xattrs: flagOf("--xattrs", "keep extended attributes"),
  numeric_ids: flagOf("--numeric-ids", "keep owner numbers, do not map names"),
  sparse: flagOf("--sparse", "write long runs of zeros as holes"),
  inplace: flagOf("--inplace", "write into the existing file; an interrupted run leaves it damaged"),
  whole_file: Optional(
    flag({
      description:
        "`--whole-file`: send whole files, no differences. `false`: `--no-whole-file`. Unless given rsync decides: whole files where both ends are on this host.",
    }),
  ),
  one_file_system: flagOf("--one-file-system", "do not cross into other file systems"),
  ignore_existing: flagOf("--ignore-existing", "skip files that exist at the destination"),
  remove_source_files: flagOf("--remove-source-files", "delete source files once they are transferred"),
  mkpath: flagOf("--mkpath", "create missing directories of the destination path"),
  bwlimit: Optional(
    bandwidth({
      description: "`--bwlimit`: limit of the transfer rate; a number is KiB per second.",
      examples: [1000, "1.5M"],
    }),
  ),
  timeout: Optional(
    duration({
      description: "`--timeout`: rsync gives up when nothing moves for so long; 0 never. One in `opts` counts as well.",
      default: 300,
      examples: ["10m"],
    }),
  ),
  modify_window: Optional(
    integer(-1, 86_400, {
      description: "`--modify-window`: times this many seconds apart count as equal; -1 compares nanoseconds.",
      examples: [-1],
    }),
  ),
  exclude: Optional(
    textOrList("line", { description: "`--exclude`: patterns to leave out.", examples: [["*.tmp", "/cache/"]] }),
  ),
  include: Optional(
    textOrList("line", {
      description: "`--include`: patterns not to leave out; they come before `exclude`.",
      examples: ["*.rrd"],
    }),
  ),
  filter: Optional(
    textOrList("line", {
      description: "`--filter`: filter rules, before `include` and `exclude`.",
      examples: ["merge /etc/backup.rules"],
    }),
  ),
  exclude_from: Optional(
    text("file-path", {
      description: "`--exclude-from`: file with patterns to leave out.",
      examples: ["/etc/rsyncdirector/exclude"],
    }),
  ),
  include_from: Optional(
    text("file-path", {
      description: "`--include-from`: file with patterns not to leave out.",
      examples: ["/etc/rsyncdirector/include"],
    }),
  ),
  link_dest: Optional(
    textOrList("operand", {
      description: "`--link-dest`: unchanged files become hard links to those in this directory.",
      examples: ["/backup/yesterday"],
    }),
  ),
  backup: flagOf("--backup", "keep what is replaced or deleted"),
  backup_dir: Optional(
    text("operand", { description: "`--backup-dir`: where `backup` keeps it.", examples: ["/backup/replaced"] }),
  ),
  suffix: Optional(text("line", { description: "`--suffix`: what `backup` adds to names.", examples: [".old"] })),
  partial_dir: Optional(
    text("operand", { description: "`--partial-dir`: where interrupted files wait.", examples: [".rsync-partial"] }),
  ),
  temp_dir: Optional(
    text("operand", { description: "`--temp-dir`: where files are assembled.", examples: ["/backup/tmp"] }),
  ),
  chmod: Optional(text("line", { description: "`--chmod`: permissions at the destination.", examples: ["D755,F644"] })),
  chown: Optional(
    text("line", { description: "`--chown`: owner and group at the destination.", examples: ["backup:backup"] }),
  ),
  rsync_path: Optional(
    text("line", {
      description: "`--rsync-path`: program to run on the other host; needs `allow_unsafe_opts`.",
      examples: ["/opt/bin/rsync"],
    }),
  ),
});

const actionId = text("id", {
  description: "Name of the action within its job, for logs and metrics.",
  examples: ["home"],
});
const sourceKey = textOrList("operand", {
  description: "What to copy: a path or a list. A trailing slash means the contents of the directory.",
  examples: ["/home/", ["/etc", "/var/lib/dpkg"]],
});
const destKey = text("operand", {
  description: "Where to: a path on this host, or on `host` for a remote job.",
  examples: ["/backup/home"],
});
const optsKey = Optional(
  textList("options", {
    description: "Options of rsync, one or several to an element, quoted as for a shell. Nothing is expanded.",
    examples: [["-av", "--delete", "--exclude '.cache'"]],
  }),
);

export const syncAction = block("sync", "Copies with rsync.", {
  action: Type.Literal("sync", { description: "Kind of the action." }),
  id: actionId,
  source: sourceKey,
  dest: destKey,
  opts: optsKey,
  rsync: Optional(rsyncBlock),
  extensions: Optional(
    textList("line", { description: "Only files with these endings are copied.", examples: [[".rrd", ".txt"]] }),
  ),
  parallel: Optional(
    integer(1, 8, {
      description:
        "So many rsyncs share a complete sync that has much to copy, and one after them looks over all of it ([parallel](parallel.md)).",
      default: 1,
      examples: [4],
    }),
  ),
});

export const commandAction = block("command", "Runs a program on this host.", {
  action: Type.Literal("command", { description: "Kind of the action." }),
  id: actionId,
  command: text("command", {
    description: "The program, and arguments if they fit; split into words as for a shell, but nothing is expanded.",
    examples: ["/usr/local/bin/dump-database --all", "systemctl"],
  }),
  args: Optional(
    textList("argument", {
      description: "Further arguments, passed on exactly as they are.",
      examples: [["stop", "app"]],
    }),
  ),
  shell: Optional(
    flag({ description: "`true`: `command` is a script for `/bin/sh -c`, with pipes and variables.", default: false }),
  ),
  cwd: Optional(text("file-path", { description: "Directory to run in.", examples: ["/var/lib/app"] })),
});

export const csync2Action = block("csync2", "Brings the peers of a csync2 cluster up to date.", {
  action: Type.Literal("csync2", { description: "Kind of the action." }),
  id: actionId,
  config: Optional(
    text("line", {
      description: "Name of the csync2 configuration (`-C`): `/etc/csync2_NAME.cfg` here and on every peer.",
      examples: ["cluster"],
    }),
  ),
  config_file: Optional(
    text("file-path", {
      description:
        "The configuration file instead, where it does not lie in `/etc`; it must be called `csync2.cfg` or `csync2_NAME.cfg`.",
      examples: ["/etc/csync2/csync2.cfg"],
    }),
  ),
  hostname: Optional(
    text("host", {
      description: "Name of this host in the csync2 configuration (`-N`); else its host name.",
      examples: ["web1"],
    }),
  ),
  path: Optional(
    textOrList("file-path", {
      description: "What a complete check looks at, inside what csync2 includes; all of that unless given.",
      examples: ["/srv/www"],
    }),
  ),
  peers: Optional(
    textOrList("host", {
      description: "Hosts to bring up to date; else all that share a csync2 group with this one.",
      examples: [["web2", "web3"]],
    }),
  ),
  parallel_updates: Optional(integer(1, 1000, { description: "So many peers at a time.", default: 1 })),
  rsync_threshold: Optional(
    integer(1, 100_000_000, {
      description:
        "When more files than this wait for a peer, those it does not have are copied with rsync over ssh first; csync2 then carries the rest.",
      examples: [5000],
    }),
  ),
  reset_after: Optional(
    integer(1, 100_000_000, {
      description: "A complete check takes the place of the list once so many changed paths were carried.",
      examples: [200_000],
    }),
  ),
  opts: Optional(
    textList("options", {
      description: "Further options of csync2 for every call, such as `-D DIRECTORY`, `-p PORT`, `-G GROUP` or `-B`.",
      examples: [["-D /var/lib/csync2"]],
    }),
  ),
  mode: Optional(
    choice(["check", "update"], {
      description: "`check`: only look what has changed, and tell. `update`: also bring the peers up to date.",
      default: "update",
    }),
  ),
});

export type RawSyncAction = Static<typeof syncAction>;
export type RawCommandAction = Static<typeof commandAction>;
export type RawCsync2Action = Static<typeof csync2Action>;
export type RawAction = RawSyncAction | RawCommandAction | RawCsync2Action;
export type RawRsyncBlock = Static<typeof rsyncBlock>;

export const actionSchema = oneOfBlocks<RawAction>("action", "action", "One step of a job.", [
  syncAction,
  commandAction,
  csync2Action,
]);

/** The older layout: syncs only, without names. `legacy/syncs-layout.ts` turns them into actions. */
export const olderSync = block("sync (older layout)", "A sync without a name; use `actions` in new files.", {
  id: Optional(actionId),
  source: sourceKey,
  dest: destKey,
  opts: optsKey,
  rsync: Optional(rsyncBlock),
});
