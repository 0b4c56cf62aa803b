import { describe, expect, it } from "vitest";
import {
  judgeBlocks,
  judgeClock,
  judgeHoldDirectory,
  judgeLockDirectory,
  judgeRsync,
  judgeRsyncWithoutShell,
  judgeSpace,
} from "../../../../src/daemon/doctor/doctor-findings.ts";
import { factsCommand, readFacts, type HostFacts } from "../../../../src/daemon/doctor/doctor-facts.ts";
import type { DoctorHost } from "../../../../src/daemon/doctor/doctor-hosts.ts";
import type { DirectoryAbilities } from "../../../../src/lock/transport/lock-transport.ts";

const noFacts: HostFacts = {
  now: undefined,
  user: undefined,
  release: undefined,
  rsync: undefined,
  rsyncPackage: undefined,
  space: new Map(),
};
const sound: DirectoryAbilities = {
  kind: "probed",
  mode: "full",
  exclusive: true,
  hardLinks: true,
  flock: true,
  fileSystem: "tmpfs",
  uid: 0,
  permissions: 0o755,
  accountUid: 0,
  nowSeconds: 0,
};

describe("facts about a host", () => {
  it("are read whatever else a host prints, each path by its number", () => {
    const paths = ["/srv/a b", "/run/locks"];
    expect(factsCommand(paths)).toBe("rd_facts\nrd_space 0 '/srv/a b' '/run/locks'");
    const lines = [
      "FACT now 1795178163.5",
      "FACT release Debian GNU/Linux 12",
      "nonsense",
      "FACT space 1+ 100 200 - -",
      "FACT space 0 10 20 3 4",
      "FACT space 7 1 1 1 1",
      "FACT rsync rsync  version 3.2.7  protocol version 31",
    ];
    expect(readFacts(lines, paths)).toEqual({
      ...noFacts,
      now: 1_795_178_163.5,
      release: "Debian GNU/Linux 12",
      rsync: "rsync  version 3.2.7  protocol version 31",
      space: new Map([
        ["/run/locks", { exists: true, freeBytes: 102_400, bytes: 204_800, freeInodes: 0, inodes: 0 }],
        ["/srv/a b", { exists: false, freeBytes: 10_240, bytes: 20_480, freeInodes: 3, inodes: 4 }],
      ]),
    });
  });
});

describe("the doctor's judgement", () => {
  it.each([
    ["rsync  version 3.2.7  protocol version 31", "warning", /3\.4\.0 closed/],
    ["rsync  version 3.4.1  protocol version 32", "warning", /3\.4\.3 closed/],
    ["rsync  version 3.4.3  protocol version 32", "warning", /3\.5\.0 closed/],
    ["rsync  version 3.5.0  protocol version 32", "ok", /^3\.5\.0$/],
    ["rsync  version v3.10.0-dev  protocol version 32", "ok", /^v3\.10\.0-dev$/],
    ["openrsync: protocol version 29", "warning", /openrsync/],
  ])("of %s is %s", (rsync, state, message) => {
    expect(judgeRsync({ ...noFacts, rsync }, true)).toMatchObject({ state, message: expect.stringMatching(message) });
  });

  it("of a missing rsync is a problem only where it is needed", () => {
    expect(judgeRsync(noFacts, true)).toMatchObject({ state: "problem", remedy: expect.any(String) });
    expect(judgeRsync(noFacts, false)).toBeUndefined();
  });

  it.each([
    [0.4, "ok"],
    [-30, "ok"],
    [90, "warning"],
    [-7200, "problem"],
  ])("of a clock that is %d s off is %s", (offset, state) => {
    expect(judgeClock(offset).state).toBe(state);
  });

  it("of directories names the flaw, and the command that mends it", () => {
    const directory = { path: "/run/locks", claims: true, allows: undefined };
    expect(judgeLockDirectory(directory, sound)).toMatchObject({
      state: "ok",
      message: expect.stringContaining("on tmpfs; root, mode 0755"),
    });
    const gone = { kind: "error", detail: "its directory does not exist" } as const;
    expect(judgeLockDirectory(directory, gone)).toMatchObject({
      state: "problem",
      remedy: expect.stringMatching(/^install -d .*tmpfiles\.d\/locks\.conf$/),
    });
    const theirs = { ...sound, uid: 1000, permissions: 0o777 };
    expect(judgeLockDirectory(directory, theirs)).toMatchObject({
      state: "problem",
      remedy: "chown root '/run/locks' && chmod go-w '/run/locks', or choose a directory of its own",
    });
    expect(judgeLockDirectory(directory, { ...sound, linkUid: 1000 })).toMatchObject({
      state: "problem",
      remedy: "chown -h root '/run/locks' && chmod go-w '/run/locks', or choose a directory of its own",
    });
    expect(judgeLockDirectory(directory, { ...sound, linkUid: 0 })).toMatchObject({
      state: "ok",
      message: expect.stringContaining("root, mode 0755, by a symbolic link"),
    });
    const allows = { unsafeDirectory: true, networkFileSystem: false };
    expect(judgeLockDirectory({ ...directory, allows }, theirs)).toMatchObject({ state: "warning" });
    expect(judgeLockDirectory({ ...directory, allows }, { ...theirs, fileSystem: "nfs" })).toMatchObject({
      state: "problem",
    });
    expect(judgeLockDirectory(directory, undefined)).toMatchObject({ state: "problem" });
    expect(judgeLockDirectory({ ...directory, third: true }, sound)).toMatchObject({
      state: "warning",
      message: expect.stringContaining("when that host is rebooted the locks are gone"),
    });
    expect(judgeLockDirectory({ ...directory, third: true }, { ...sound, fileSystem: "ext2/ext3" })).toMatchObject({
      state: "ok",
    });
  });

  it("of room is a problem at nothing left, and a warning below a twentieth", () => {
    const host: DoctorHost = {
      endpoint: null,
      lockDirectories: [],
      holdDirectories: [],
      destinations: ["/a", "/b", "/c", "/d", "/e"],
      needsRsync: true,
      jobs: [],
    };
    const room = { exists: true, freeBytes: 50, bytes: 100, freeInodes: 50, inodes: 100 };
    const space = new Map([
      ["/a", room],
      ["/b", { ...room, freeBytes: 0 }],
      ["/c", { ...room, freeBytes: 4 }],
      ["/d", { ...room, freeInodes: 0 }],
      ["/e", { ...room, freeInodes: 4 }],
    ]);
    expect(judgeSpace(host, { ...noFacts, space }).map(({ state }) => state)).toEqual([
      "ok",
      "problem",
      "warning",
      "problem",
      "warning",
    ]);
  });

  it("of directories that are only looked at is a problem unless the look succeeded, and has a remedy", () => {
    const look = (detail: string) => judgeBlocks("/run/others", { kind: "error", detail });
    expect(judgeBlocks("/run/others", { kind: "absent" }).state).toBe("ok");
    expect(look("its directory does not exist").remedy).toMatch(
      /^install -d -m 0755 .* \/etc\/tmpfiles.d\/others.conf$/,
    );
    expect(look("Permission denied").remedy).toContain("give it to the account");
    expect(judgeBlocks("/run/others", undefined)).toMatchObject({ state: "problem", remedy: "ls -ld '/run/others'" });
  });

  it("of rsync without a shell is a warning only where a sync needs it", () => {
    expect(judgeRsyncWithoutShell(false)).toBeUndefined();
    expect(judgeRsyncWithoutShell(true)).toMatchObject({ state: "warning", check: "rsync" });
  });
});

describe("a directory for hold files", () => {
  const directory = { path: "/run/holds", required: false };
  const missing = { kind: "error", detail: "its directory does not exist" } as const;

  it("is well when it can be written and flock works", () => {
    expect(judgeHoldDirectory(directory, sound).state).toBe("ok");
  });

  it("is a warning when jobs run unfenced for want of it, and a problem when they fail", () => {
    expect(judgeHoldDirectory(directory, missing)).toMatchObject({
      state: "warning",
      message: "/run/holds: its directory does not exist; jobs that write here run unfenced",
      remedy: expect.stringContaining("install -d -m 0755 '/run/holds'"),
    });
    expect(judgeHoldDirectory({ ...directory, required: true }, missing).state).toBe("problem");
    expect(judgeHoldDirectory(directory, { ...sound, flock: false })).toMatchObject({
      message: expect.stringContaining("the host has no working flock(1)"),
      remedy: "apt-get install util-linux",
    });
    expect(judgeHoldDirectory(directory, { ...sound, flock: false, flockElsewhere: true })).toMatchObject({
      message: expect.stringContaining("/run/holds: flock(1) does not work there"),
      remedy: "choose a directory on a local file system",
    });
    expect(judgeHoldDirectory(directory, undefined).state).toBe("warning");
  });
});
