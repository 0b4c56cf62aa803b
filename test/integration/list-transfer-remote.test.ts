import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../src/config/resolved.ts";
import type { JobDraft } from "../support/build-job.ts";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import type { TestSshd } from "../support/sshd.ts";
import { filesOf, makeWatchedSync, messageOf } from "../support/watched-sync.ts";
import type { WatchedSync } from "../support/watched-sync.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(async () => {
  await sshd.stop();
  await rm(unpacked, { recursive: true, force: true });
});

const remote = (direction: Job["direction"] = "push"): JobDraft => ({
  type: "remote",
  direction,
  endpoint: endpointOf(sshd),
});
const pairs = versions.flatMap((here) => versions.map((there) => ({ here, there })));
const watch = { deleteWatched: true };

describe.each(pairs)("changed paths from rsync $here.version to $there.version over ssh", ({ here, there }) => {
  let sync: WatchedSync;
  let rsync: { archive: true; rsyncPath: string };
  beforeEach(async () => {
    sync = await makeWatchedSync(join(here.bin, "rsync"));
    rsync = { archive: true, rsyncPath: join(there.bin, "rsync") };
  });

  it("arrive, and what was deleted goes, with every kind of name", async () => {
    const names = ["a/b", "new\nline", "car\rriage", "it's `a` $(name)", "[1]*", "-x", "#c"];
    await sync.fill("source", [...names, "c"]);
    await sync.fill("dest", names.map((name) => `gone/${name}`).concat("gone-too", "stays"));
    const deleted = [...names.map((name) => `gone/${name}`), "gone-too"];
    await expect(
      sync.carry({ changed: names, deleted }, { watch, job: remote(), action: { rsync } }).outcome,
    ).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual([...names, "stays"].toSorted());
    expect(await sync.started()).toBe(2);
  });

  it("are refused beyond a limit, for pushes and pulls", async () => {
    await sync.fill("source", ["a", "b"]);
    await sync.fill("dest", ["a", "b", "gone", "gone-too"]);
    const options = { job: remote(), action: { rsync }, watch, guard: { maxDelete: 1 } };
    expect(await messageOf(sync.carry({ deleted: ["gone", "gone-too"] }, options).outcome)).toMatch(
      /would delete 2 entries/,
    );
    const pull = { ...options, job: remote("pull"), action: { rsync: { ...rsync, delete: true } } };
    expect(await messageOf(sync.full({ ...pull, watch: {} }).outcome)).toMatch(/would delete 2 entries/);
    expect(await filesOf(sync.dest)).toEqual(["a", "b", "gone", "gone-too"]);
    await expect(sync.full({ ...pull, guard: { maxDeletePercent: 50 } }).outcome).resolves.toMatchObject({
      kind: "ok",
    });
    expect(await filesOf(sync.dest)).toEqual(["a", "b"]);
  });

  it("are written behind the job's hold locks, each call of them", async () => {
    await sync.fill("source", ["a"]);
    await sync.fill("dest", ["gone"]);
    const token = "-tokenABCDEF_123456789";
    const lock = join(sync.directory, "lock");
    const holds = [{ hold: `${lock}.hold`, lock, token }];
    await writeFile(lock, `1\n{"token":"${token}"}\n`);
    const carry = (changes: Parameters<WatchedSync["carry"]>[0]) =>
      sync.carry(changes, { watch, holds, job: remote(), action: { rsync } }).outcome;
    await expect(carry({ changed: ["a"], deleted: ["gone"] })).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["a"]);
    await writeFile(lock, "1\n");
    await sync.fill("dest", ["gone"]);
    for (const changes of [{ changed: ["a"] }, { deleted: ["gone"] }, { changed: ["a"], deleted: ["gone"] }]) {
      await expect(carry(changes)).resolves.toMatchObject({
        kind: "failed",
        message: expect.stringContaining("the lock was lost"),
        report: { turnedAway: true },
      });
    }
    expect(await filesOf(sync.dest)).toEqual(["a", "gone"]);
  });
});

describe("a remote rsync that is too old to compare times exactly", () => {
  it("is named as the cause", async () => {
    const sync = await makeWatchedSync("/usr/bin/rsync");
    await sync.fill("source", ["a"]);
    const bin = join(sync.directory, "old");
    await mkdir(bin);
    // What rsync 3.1.2 says, which knows no short name of --modify-window.
    const script = 'case "$*" in *" -@-1 "*) echo "rsync: -@-1: unknown option" >&2; exit 1;; esac\nexec rsync "$@"\n';
    await writeFile(join(bin, "rsync"), `#!/bin/sh\n${script}`, { mode: 0o755 });
    const rsync = { archive: true, rsyncPath: join(bin, "rsync") };
    const { outcome } = sync.carry({ changed: ["a"] }, { job: remote(), action: { rsync } });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      retryable: false,
      message: expect.stringContaining("rsync on the other host is older than 3.1.3"),
    });
    const chosen = { ...rsync, modifyWindow: 0 };
    const second = sync.carry({ changed: ["a"] }, { job: remote(), action: { rsync: chosen } });
    await expect(second.outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await readFile(join(sync.dest, "a"), "utf8")).toBe("content");
  });
});
