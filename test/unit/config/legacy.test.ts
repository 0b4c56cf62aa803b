import { describe, expect, test } from "vitest";
import { upgradeEmptyValues } from "../../../src/config/legacy/empty-values.ts";
import { upgradeKeyNames } from "../../../src/config/legacy/key-names.ts";
import { upgradeSeedJson } from "../../../src/config/legacy/seed-json.ts";
import { upgradeSyncsLayout } from "../../../src/config/legacy/syncs-layout.ts";
import { upgradeTree } from "../../../src/config/legacy/upgrade.ts";
import type { Upgrade } from "../../../src/config/legacy/upgrade-note.ts";
import { formatPath } from "../../../src/config/problem.ts";
import { Positions } from "../../../src/config/positions.ts";
import type { Tree } from "../../../src/config/tree.ts";

interface Case {
  what: string;
  upgrade: Upgrade;
  from: Tree;
  to: Tree;
  /** All of them in order; or some that must be among them. */
  notes: RegExp[] | { among: RegExp[] };
}

const rsyncOfScript = {
  archive: true,
  compress: true,
  verbose: true,
  update: true,
  checksum: true,
  partial: true,
  bwlimit: 1000,
  itemize_changes: true,
  stats: true,
};

/** What the watching script's file becomes: its only job, and the action of that. */
function watchedJob(job: Tree, action: Tree = {}): Tree {
  const sync = {
    action: "sync",
    id: "source",
    source: "/s/",
    dest: "/d/",
    rsync: rsyncOfScript,
    extensions: [".rrd", ".txt"],
  };
  const actions = [{ ...sync, ...action }];
  return {
    rsync_id: "imported",
    jobs: [{ id: "watched", type: "remote", host: "h", user: "root", watch: { debounce: 5 }, actions, ...job }],
  };
}

const stays = /^rsync_id: imported was taken/;
const named = [/^jobs\[0\]\.watch: what is deleted .* add delete: watch/];

interface SeedResult {
  level?: unknown;
  tracking?: unknown;
  watch?: Tree;
  extensions?: string[];
  rsync?: Tree;
  left?: Tree;
}

/** One key of the watching script, and what becomes of it; `note` is what is said besides the usual. */
function seedCase(what: string, keys: Tree, result: SeedResult, note?: RegExp): Case {
  const { level, tracking, watch, extensions, rsync, left = {} } = result;
  return {
    what: `the watching script: ${what}`,
    upgrade: upgradeSeedJson,
    from: {
      source_dir: "/s/",
      remote_sync: { remote_host: "h", remote_dest_dir: "/d/" },
      monitored_extensions: [".rrd", ".txt"],
      ...keys,
    },
    to: {
      ...watchedJob(
        {
          ...(watch === undefined ? {} : { watch }),
          ...(tracking === undefined ? {} : { track_changes: tracking }),
        },
        { ...(extensions === undefined ? {} : { extensions }), rsync: { ...rsyncOfScript, ...rsync } },
      ),
      ...left,
      ...(level === undefined ? {} : { logging: [{ type: "stdout", level }] }),
    },
    notes: { among: note === undefined ? [] : [note] },
  };
}

const cases: Case[] = [
  {
    what: "syncs become actions",
    upgrade: upgradeSyncsLayout,
    from: { jobs: [{ id: "a", syncs: [{ source: "/a", dest: "/b" }, { id: "named", source: "/c" }, "odd"] }] },
    to: {
      jobs: [
        {
          id: "a",
          actions: [
            { action: "sync", id: "sync-1", source: "/a", dest: "/b" },
            { action: "sync", id: "named", source: "/c" },
            "odd",
          ],
        },
      ],
    },
    notes: [/older layout/],
  },
  {
    what: "syncs beside actions are left to be refused",
    upgrade: upgradeSyncsLayout,
    from: { jobs: [{ syncs: [], actions: [] }, { syncs: 5 }] },
    to: { jobs: [{ syncs: [], actions: [] }, { syncs: 5 }] },
    notes: [],
  },
  {
    what: "all names of the key file become one",
    upgrade: upgradeKeyNames,
    from: {
      ssh: { identity_file: "/t" },
      defaults: { identity_file: "/d" },
      jobs: [
        { private_key_path: "/a", lock_files: [{ identity_file: "/b" }], blocks_on: [{ private_ssh_key: "/c" }, 3] },
      ],
    },
    to: {
      ssh: { private_ssh_key: "/t" },
      defaults: { private_ssh_key: "/d" },
      jobs: [
        { private_ssh_key: "/a", lock_files: [{ private_ssh_key: "/b" }], blocks_on: [{ private_ssh_key: "/c" }, 3] },
      ],
    },
    notes: [],
  },
  {
    what: "two names of the key file are left to be refused",
    upgrade: upgradeKeyNames,
    from: { jobs: [{ private_key_path: "/a", identity_file: "/b" }] },
    to: { jobs: [{ private_key_path: "/a", identity_file: "/b" }] },
    notes: [],
  },
  {
    what: "keys that the original ignored when empty go away",
    upgrade: upgradeEmptyValues,
    from: {
      pid_file_dir: null,
      metrics: { port: null },
      jobs: [{ port: "", private_key_path: null, timeout: null, lock_files: [{ port: null }] }],
    },
    to: { metrics: {}, jobs: [{ timeout: null, lock_files: [{}] }] },
    notes: [],
  },
  {
    what: "the watching script's file becomes a watched job with the script's own defaults",
    upgrade: upgradeSeedJson,
    from: { source_dir: "/s/", remote_sync: { remote_host: "h", remote_dest_dir: "/d/" } },
    to: watchedJob({}),
    notes: [/one watched job/, /\.rrd and \.txt were taken/, /keep the directories/, ...named, stays],
  },
  {
    what: "every key of the watching script is carried over or named",
    upgrade: upgradeSeedJson,
    from: {
      source_dir: "/s",
      state_file: "/x.json",
      remote_sync: { remote_user: "u", remote_host: "h", remote_dest_dir: "/d/", ssh_key_path: "/k", odd: 1 },
      logging: { log_file: "/l", log_level: "critical", odd: 2 },
      debounce_time: 2,
      monitored_extensions: [".a"],
      rsync_options: { archive: false, bwlimit: 5, odd: 3 },
      change_tracking: { backup_dir: "/b", change_log_file: "/c", diff_tool: "diff", odd: 4 },
      unknown: 1,
    },
    to: {
      ...watchedJob(
        {
          user: "u",
          private_ssh_key: "/k",
          watch: { debounce: 2 },
          track_changes: { backup_dir: "/b", log_file: "/c", diff_tool: "diff" },
        },
        { opts: ["-r"], rsync: { ...rsyncOfScript, archive: false, bwlimit: 5 }, extensions: [".a"] },
      ),
      logging: [{ type: "file", path: "/l", format: "text", level: "error" }],
    },
    notes: [
      /^state_file: .*state_dir/,
      /^unknown: .*left out/,
      /one watched job/,
      /^logging\.odd: .*left out/,
      /^remote_sync\.odd: .*left out/,
      /^rsync_options\.odd: .*left out/,
      /keep the directories/,
      /^rsync_options\.archive: .*-r was added/,
      /^change_tracking\.odd: .*left out/,
      ...named,
      stays,
    ],
  },
  {
    what: "what may stand beside the script's keys stays, and watch says what the script's file could not",
    upgrade: upgradeSeedJson,
    from: {
      rsync_id: "rrd",
      metrics: { port: 9101 },
      defaults: { guard: { max_delete: 10 } },
      source_dir: "/s/",
      remote_sync: { remote_host: "h", remote_dest_dir: "/d/" },
      monitored_extensions: [".rrd", ".txt"],
      watch: { delete: "watch", debounce: "1s" },
    },
    to: {
      ...watchedJob({ watch: { debounce: "1s", delete: "watch" } }),
      rsync_id: "rrd",
      metrics: { port: 9101 },
      defaults: { guard: { max_delete: 10 } },
    },
    notes: [/one watched job/, /keep the directories/],
  },
  ...[
    { level: "DEBUG", ours: "debug" },
    { level: "info", ours: "info" },
    { level: "Warning", ours: "warn" },
    { level: "ERROR", ours: "error" },
    { level: "CRITICAL", ours: "error" },
  ].map(({ level, ours }) => seedCase(`log_level ${level}`, { logging: { log_level: level } }, { level: ours })),
  seedCase("a level that the script did not know", { logging: { log_level: "LOUD" } }, { level: "info" }, /log_level/),
  seedCase("a level that is no text, to be refused", { logging: { log_level: 3 } }, { level: 3 }),
  seedCase("an empty logging block", { logging: {} }, { level: "info" }),
  seedCase("difflib", { change_tracking: { diff_tool: "difflib" } }, { tracking: { diff_tool: "builtin" } }),
  seedCase(
    "another diff tool, to be refused",
    { change_tracking: { diff_tool: "vim" } },
    { tracking: { diff_tool: "vim" } },
  ),
  seedCase("an empty change_tracking block", { change_tracking: {} }, { tracking: {} }),
  seedCase(
    "blocks that are none, to be refused",
    { change_tracking: 5, rsync_options: 6 },
    { tracking: 5, left: { rsync_options: 6 } },
  ),
  seedCase("a long debounce", { debounce_time: 90 }, { watch: { debounce: 90, max_delay: 180 } }),
  seedCase(
    "a debounce of hours",
    { debounce_time: 7200 },
    { watch: { debounce: 7200, max_delay: 14_400, full_sync_interval: 14_400 } },
  ),
  seedCase("no endings", { monitored_extensions: [] }, { extensions: [] }, /monitored_extensions: is empty/),
  ...[0, false, null, ""].map((bwlimit) =>
    seedCase(`bwlimit ${JSON.stringify(bwlimit)}`, { rsync_options: { bwlimit } }, { rsync: { bwlimit: undefined } }),
  ),
  seedCase("bwlimit as a text", { rsync_options: { bwlimit: "1.5M" } }, { rsync: { bwlimit: "1.5M" } }),
  ...Object.keys(rsyncOfScript)
    .filter((key) => key !== "bwlimit" && key !== "archive")
    .flatMap((key) => [
      seedCase(`${key} off`, { rsync_options: { [key]: false } }, { rsync: { [key]: false } }),
      seedCase(`${key} 0`, { rsync_options: { [key]: 0 } }, { rsync: { [key]: false } }),
      seedCase(`${key} 1`, { rsync_options: { [key]: 1 } }, { rsync: { [key]: true } }),
    ]),
];

describe("upgrades of older formats", () => {
  test.each(cases)("$what", ({ upgrade, from, to, notes }) => {
    const tree = structuredClone(from);
    const messages = upgrade(tree, new Positions()).map(({ path, message }) => `${formatPath(path)}: ${message}`);
    expect(tree).toEqual(to);
    const wanted = ("among" in notes ? notes.among : notes).map((note) => expect.stringMatching(note) as string);
    expect(messages).toEqual("among" in notes ? expect.arrayContaining(wanted) : wanted);
  });

  test.each(cases)("$what, and once done there is nothing more to do", ({ from }) => {
    const tree = structuredClone(from);
    upgradeTree(tree, new Positions());
    const once = structuredClone(tree);
    expect(upgradeTree(tree, new Positions())).toEqual([]);
    expect(tree).toEqual(once);
  });
});
