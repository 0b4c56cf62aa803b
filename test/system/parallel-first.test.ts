import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SyncAction } from "../../src/config/resolved.ts";
import { compareTrees } from "../support/compare-trees.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { processesMentioning, waitUntil } from "../support/process-state.ts";
import { recordRsync } from "../support/recorded-rsync.ts";
import { buildSync, realActions, startAction, type StartOptions } from "../support/run-action.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const token = "tokentokentokentoken-1";
const fourParts = ["part", "part", "part", "part"];

describe("the first copy of a sync that is split", () => {
  let host: TestSshd;
  let source: string;
  let directory: string;
  const at = (...names: string[]) => join(directory, ...names);
  beforeAll(async () => {
    host = await startSshd();
    source = await mkdtemp(join(tmpdir(), "rsyncdirector-test-"));
    for (let number = 0; number < 600; number += 1) {
      const below = join(source, `directory-${number % 7}`);
      await mkdir(below, { recursive: true });
      await writeFile(join(below, `file-${number}`), "x".repeat(2000));
    }
    await utimes(source, 1_600_000_000, 1_600_000_000);
  });
  afterAll(async () => {
    await host.stop();
    await rm(source, { recursive: true });
  });
  beforeEach(async () => void (directory = await makeTempDir()));

  const sync = (overrides: Partial<SyncAction> = {}) =>
    buildSync({ sources: [`${source}/`], dest: at("dest"), parallel: 4, ...overrides });
  const push = (action: SyncAction, options: StartOptions = {}) =>
    startAction(action, {
      job: { type: "remote", direction: "push", endpoint: endpointOf(host) },
      holds: [{ hold: at("x.hold"), lock: undefined, token }],
      ...options,
    });
  const nobodyIsLeft = () => processesMentioning(at("dest")).length === 0;

  it("asks nobody over there what is missing where nothing was, and leaves everything", async () => {
    const { env, calls } = await recordRsync();
    const { outcome } = push(sync(), { deps: { env } });
    expect(await outcome).toMatchObject({
      kind: "ok",
      report: { stats: { filesTotal: 608, filesCreated: 608, filesTransferred: 600, transferredBytes: 1_200_000 } },
    });
    const [look, ...copying] = await calls();
    expect(look).toBe("look here");
    expect(copying.slice(0, -1).toSorted()).toEqual(["dest", ...fourParts]);
    expect(copying.at(-1)).toBe("last");
    expect(compareTrees(source, at("dest"), { mtimes: "all" })).toEqual([]);
  });

  it("needs nothing here of what is there for the other side", async () => {
    const there = at("temporary");
    const { env, calls } = await recordRsync(`if [ "$kind" != 'look here' ]; then mkdir -p '${there}'; fi`);
    const { outcome } = push(sync({ opts: [`--temp-dir=${there}`] }), { deps: { env } });
    expect(await outcome).toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 600 } } });
    expect(await calls()).not.toContain("look there");
  });

  it("shuts the directory that it makes to whom the source is shut, before anything is in it", async () => {
    const action = sync({ opts: ["--chmod=D700", "--bwlimit=4"] });
    const { outcome, stop } = push(action);
    await waitUntil("something has arrived", async () => (await readdir(at("dest")).catch(() => [])).length > 0);
    expect((await stat(at("dest"))).mode & 0o777).toBe(0o700);
    stop();
    expect(await outcome).toMatchObject({ kind: "cancelled" });
    await waitUntil("nobody is left", nobodyIsLeft);
  });

  it("looks at the other side where the directory was there, and has copied nothing until then", async () => {
    await mkdir(at("dest"));
    await writeFile(at("dest/surplus"), "");
    const { env, calls } = await recordRsync(`[ "$kind" != 'look there' ] || ls '${at("dest")}' >'${at("seen")}'`);
    const log = createMemoryLog();
    const { outcome, lines } = push(sync({ opts: ["--delete"] }), { deps: { env }, log });
    expect(await outcome).toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 600, filesDeleted: 1 } } });
    const made = await calls();
    expect(made.slice(0, 6).toSorted()).toEqual(["dest", "look here", ...fourParts].toSorted());
    expect(made.slice(6)).toEqual(["look there", ...fourParts, "last"]);
    expect(await readFile(at("seen"), "utf8")).toBe("surplus\n");
    expect(lines.filter((line) => line.startsWith("stderr:"))).toEqual([]);
    expect(log.messages("info").filter((text) => text === "part of a sync started")).toHaveLength(4);
    expect(compareTrees(source, at("dest"), { mtimes: "all" })).toEqual([]);
  });

  it("is not in the way of its own look there, while parts that were stopped are just ending at the other side", async () => {
    await mkdir(at("dest"));
    await writeFile(at("hold.sh"), `exec 9<'${at("x.hold")}'; flock -s 9; touch '${at("held")}'; exec sleep 600`);
    const { env, calls } = await recordRsync(
      `case $kind in
         'look there') setsid sh '${at("hold.sh")}' </dev/null >/dev/null 2>&1 & echo $! >'${at("holder")}'
           until [ -e '${at("held")}' ]; do sleep 0.05; done ;;
         last) kill "$(cat '${at("holder")}')" ;;
       esac`,
    );
    const { outcome } = push(sync(), { deps: { env } });
    expect(await outcome).toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 600 } } });
    expect(await calls()).toContain("look there");
  });

  it("is none any more once a complete sync has been there, whatever has become of the directory", async () => {
    const { env, calls } = await recordRsync();
    const registry = realActions({ env });
    expect(await push(sync(), { registry }).outcome).toMatchObject({ kind: "ok" });
    await rm(at("dest"), { recursive: true });
    const before = (await calls()).length;
    expect(await push(sync(), { registry }).outcome).toMatchObject({ kind: "ok" });
    const made = (await calls()).slice(before);
    expect(made[0]).toBe("look there");
    expect(made.slice(1, -1).toSorted()).toEqual(["dest", ...fourParts]);
    expect(compareTrees(source, at("dest"), { mtimes: "all" })).toEqual([]);
  });

  it("looks at the other side in a further try: somebody may be left there, and something", async () => {
    const { env, calls } = await recordRsync();
    expect(await push(sync(), { deps: { env }, context: { attempt: 2 } }).outcome).toMatchObject({ kind: "ok" });
    const made = await calls();
    expect(made[0]).toBe("look there");
    expect(made.slice(1, -1).toSorted()).toEqual(["dest", ...fourParts]);
    expect(compareTrees(source, at("dest"), { mtimes: "all" })).toEqual([]);
  });

  it("is one rsync where there is little to copy", async () => {
    const { env, calls } = await recordRsync();
    const action = sync({ opts: ["--exclude=/directory-[0-5]/"] });
    expect(await push(action, { deps: { env } }).outcome).toMatchObject({ kind: "ok" });
    expect(await calls()).toEqual(["look here", "last"]);
  });

  it("fails as one rsync does where the directory cannot be made, and leaves nobody behind", async () => {
    const { outcome } = push(sync({ dest: at("missing/dest") }));
    expect(await outcome).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^rsync ended with 11: .*mkdir /),
      report: { exitCode: 11 },
    });
    expect(await readdir(directory)).toEqual(["x.hold"]);
    await waitUntil("nobody is left", () => processesMentioning(at("missing")).length === 0);
  });

  it("fails as one rsync does where the destination is a file, which stays", async () => {
    await writeFile(at("dest"), "precious");
    const alone = await push(sync({ parallel: 1 })).outcome;
    expect(alone).toMatchObject({ kind: "failed", report: { exitCode: 3 } });
    expect(await push(sync()).outcome).toMatchObject({ kind: "failed", report: { exitCode: 3 } });
    expect(await readFile(at("dest"), "utf8")).toBe("precious");
  });

  it.each(["part", "dest"])(
    "fails for the cause of the one that breaks off, not for those that are stopped: %s",
    async (kind) => {
      const { env } = await recordRsync(`
      if [ "$kind" = ${kind} ] && mkdir '${at("once")}' 2>/dev/null; then echo 'it broke off' >&2; exit 12; fi`);
      expect(await push(sync(), { deps: { env } }).outcome).toMatchObject({
        ...{ kind: "failed", retryable: true, message: expect.stringMatching(/^rsync ended with 12: .*it broke off/) },
      });
      await waitUntil("nobody is left", nobodyIsLeft);
    },
  );

  it("does not make a file of a directory that is gone when the parts come", async () => {
    const big = at("big");
    await mkdir(big);
    for (const name of ["one", "two", "three"]) await writeFile(join(big, name), "x".repeat(3_000_000));
    const { env } = await recordRsync(`[ "$kind" != part ] || rm -rf '${at("dest")}'`);
    await mkdir(at("dest"));
    await push(sync({ sources: [`${big}/`] }), { deps: { env } }).outcome;
    expect(await push(sync({ sources: [`${big}/`] })).outcome).toMatchObject({ kind: "ok" });
    expect(compareTrees(big, at("dest"), { mtimes: "all" })).toEqual([]);
  });

  it("copies only what is there with --existing, which is nothing", async () => {
    const { env, calls } = await recordRsync();
    await mkdir(at("dest"));
    expect(await push(sync({ opts: ["--existing"] }), { deps: { env } }).outcome).toMatchObject({ kind: "ok" });
    expect(await calls()).toEqual(["look there", "last"]);
  });
});
