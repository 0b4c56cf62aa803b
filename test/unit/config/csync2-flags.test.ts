import { describe, expect, test } from "vitest";
import { type Csync2Flags, readCsync2Flags } from "../../../src/config/csync2-flags.ts";

const defaults: Csync2Flags = {
  config: undefined,
  checkInterval: 0.5,
  fullSyncInterval: 3600,
  numLinesUntilReset: 200_000,
  numBatchedChangesThreshold: 15_000,
  rsyncThreshold: 5000,
  parallelUpdates: 1,
  maxWaitTime: 10,
  debug: false,
  hostname: undefined,
  configName: undefined,
  peers: [],
  csync2Words: [],
  notes: [],
};

test.each<[flags: string, Partial<Csync2Flags>]>([
  ["", {}],
  ["--config /srv/csync2.cfg", { config: "/srv/csync2.cfg" }],
  ["--config=/srv/a=b.cfg", { config: "/srv/a=b.cfg" }],
  ["--check-interval 2", { checkInterval: 2 }],
  ["--check-interval=0.25", { checkInterval: 0.25 }],
  ["--full-sync-interval 60", { fullSyncInterval: 60 }],
  ["--num-lines-until-reset 7", { numLinesUntilReset: 7 }],
  ["--num-batched-changes-threshold 8", { numBatchedChangesThreshold: 8 }],
  ["--rsync-threshold 9", { rsyncThreshold: 9 }],
  ["--disable-rsync", { rsyncThreshold: undefined }],
  ["--rsync-threshold 9 --disable-rsync", { rsyncThreshold: undefined }],
  ["--parallel-updates 0", { parallelUpdates: 0 }],
  ["--max-wait-time 3", { maxWaitTime: 3 }],
  ["--max 3", { maxWaitTime: 3 }],
  ["--debug", { debug: true }],
  ["-N host1", { hostname: "host1" }],
  ["-Nhost1 -C cluster -P host2,host3", { hostname: "host1", configName: "cluster", peers: ["host2", "host3"] }],
  [
    "-Bt -D /var/lib/c -p30865 -G a,b -s /tmp/t",
    {
      csync2Words: ["-B", "-t", "-D", "/var/lib/c", "-p", "30865", "-G", "a,b", "-s", "/tmp/t"],
    },
  ],
])("reads %j", (flags, expected) => {
  expect(readCsync2Flags(flags.split(" ").filter(Boolean))).toEqual({ ...defaults, ...expected });
});

describe("flags without a counterpart", () => {
  test.each([
    ["--mode thread", "--mode thread", /one event loop/],
    ["--mode=async", "--mode async", /one event loop/],
    ["-m async", "--mode async", /one event loop/],
    ["-mthread", "--mode thread", /one event loop/],
    ["--verbose", "--verbose", /no flag of the script/],
    // It may be one of two.
    ["--num 5", "--num", /no flag of the script/],
    ["-v", "-v", /the program adds it/],
    ["-d", "-d", /run --dry-run/],
    ["-F", "-F", /changed on both sides/],
    ["-x", "-x", /decided by the action/],
    ["-W 3", "-W", /decided by the action/],
    ["host1", "host1", /no flag of the script/],
  ])("%s is named, and the next flag is read", (flags, flag, message) => {
    const read = readCsync2Flags([...flags.split(" "), "--debug"]);
    expect(read.notes[0]).toEqual({ flag, message: expect.stringMatching(message) });
    expect({ ...read, notes: [] }).toEqual({ ...defaults, debug: true });
  });
});

test.each([
  [["--check-interval"], "--check-interval needs a value"],
  [["--check-interval", "soon"], '--check-interval must be a number; got "soon"'],
  [["--max-wait-time=-1"], '--max-wait-time must be a number; got "-1"'],
  [["-N"], "-N needs a value"],
  [["-m"], "-m needs a value"],
])("refuses %j", (words, message) => {
  expect(() => readCsync2Flags(words)).toThrow(expect.objectContaining({ message, kind: "usage" }) as Error);
});
