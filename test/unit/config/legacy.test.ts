import { describe, expect, test } from "vitest";
import { upgradeEmptyValues } from "../../../src/config/legacy/empty-values.ts";
import { upgradeKeyNames } from "../../../src/config/legacy/key-names.ts";
import { upgradeSeedJson } from "../../../src/config/legacy/seed-json.ts";
import { upgradeSyncsLayout } from "../../../src/config/legacy/syncs-layout.ts";
import { upgradeTree } from "../../../src/config/legacy/upgrade.ts";
import type { Upgrade } from "../../../src/config/legacy/upgrade-note.ts";
import { Positions } from "../../../src/config/positions.ts";
import type { Tree } from "../../../src/config/tree.ts";

interface Case {
  what: string;
  upgrade: Upgrade;
  from: Tree;
  to: Tree;
  notes: RegExp[];
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
    to: {
      rsync_id: "imported",
      jobs: [
        {
          id: "watched",
          type: "remote",
          host: "h",
          watch: { debounce: 5, extensions: [".rrd", ".txt"] },
          actions: [
            {
              action: "sync",
              id: "source",
              source: "/s/",
              dest: "/d/",
              rsync: rsyncOfScript,
              extensions: [".rrd", ".txt"],
            },
          ],
        },
      ],
    },
    notes: [/watching script/, /deletions are not carried over/],
  },
  {
    what: "every key of the watching script is carried over or named",
    upgrade: upgradeSeedJson,
    from: {
      source_dir: "/s/",
      state_file: "/x.json",
      remote_sync: { remote_user: "u", remote_host: "h", remote_dest_dir: "/d/", ssh_key_path: "/k", odd: 1 },
      logging: { log_file: "/l", log_level: "critical" },
      debounce_time: 2,
      monitored_extensions: [".a"],
      rsync_options: { archive: false, bwlimit: 5, odd: 2 },
      change_tracking: { backup_dir: "/b", change_log_file: "/c", diff_tool: "diff" },
      unknown: 1,
    },
    to: {
      unknown: 1,
      rsync_id: "imported",
      logging: [{ type: "file", path: "/l", level: "error" }],
      jobs: [
        {
          id: "watched",
          type: "remote",
          host: "h",
          user: "u",
          private_ssh_key: "/k",
          watch: { debounce: 2, extensions: [".a"] },
          actions: [
            {
              action: "sync",
              id: "source",
              source: "/s/",
              dest: "/d/",
              rsync: { ...rsyncOfScript, archive: false, bwlimit: 5 },
              extensions: [".a"],
            },
          ],
          track_changes: { backup_dir: "/b", log_file: "/c" },
        },
      ],
    },
    notes: [/watching script/, /remote_sync.odd/, /rsync_options.odd/, /diff_tool/, /state_file/, /deletions/],
  },
];

describe("upgrades of older formats", () => {
  test.each(cases)("$what", ({ upgrade, from, to, notes }) => {
    const tree = structuredClone(from);
    const messages = upgrade(tree, new Positions()).map(({ message }) => message);
    expect(tree).toEqual(to);
    expect(messages).toEqual(notes.map((note) => expect.stringMatching(note) as string));
  });

  test.each(cases)("$what, and once done there is nothing more to do", ({ from }) => {
    const tree = structuredClone(from);
    upgradeTree(tree, new Positions());
    const once = structuredClone(tree);
    expect(upgradeTree(tree, new Positions())).toEqual([]);
    expect(tree).toEqual(once);
  });
});
