import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { access, chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { buildJob } from "../support/build-job.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { partsRunning } from "../support/part-processes.ts";
import { processesMentioning, waitUntil } from "../support/process-state.ts";
import { buildSync, realActions, startAction, type StartOptions } from "../support/run-action.ts";
import { plainEndpoint } from "../support/ssh-endpoint.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { setUp } from "../unit/run/job-runner-fixture.ts";

const rsync = findProgram("rsync", process.env["PATH"] ?? "") ?? "rsync";
const token = "tokentokentokentoken-1";

describe("the parts of a sync", () => {
  let directory: string;
  const at = (...names: string[]) => join(directory, ...names);

  /** 600 files, of which the destination has none, and one there that has to go. */
  beforeEach(async () => {
    directory = await makeTempDir();
    for (const name of ["source", "dest", "bin"]) await mkdir(at(name));
    for (let file = 0; file < 600; file += 1) await writeFile(at("source", `file-${file}`), "x".repeat(2000));
    await writeFile(at("dest/surplus"), "");
  });

  /** In rsync's place a script, which has `$rsync`, and `$part` where it is a part that copies. */
  async function start(
    script: string,
    { holds = [], opts = [], ...rest }: Pick<StartOptions, "holds" | "context"> & { opts?: string[] },
  ) {
    const env = await standIn(script);
    const log = createMemoryLog();
    const action = buildSync({
      ...{ sources: [`${at("source")}/`], dest: at("dest"), parallel: 4, opts: ["--delete", ...opts] },
    });
    return { log, ...startAction(action, { ...rest, deps: { env }, holds, log }) };
  }
  /** The environment in which rsync is such a script. */
  async function standIn(script: string): Promise<Record<string, string>> {
    const head = [
      "#!/bin/sh",
      `rsync=${rsync}`,
      `cd '${directory}'`,
      'case "$*" in *--files-from*) part=yes ;; *) part= ;; esac',
    ];
    await writeFile(at("bin/rsync"), [...head, script, 'exec "$rsync" "$@"', ""].join("\n"));
    await chmod(at("bin/rsync"), 0o755);
    return { PATH: `${at("bin")}:${process.env["PATH"]}` };
  }
  const copied = async () => (await readdir(at("dest"))).filter((name) => name.startsWith("file-")).length;
  const nobodyIsLeft = () => processesMentioning(at("dest")).length === 0;
  const endless = ["--bwlimit=4"];

  it("are all stopped when one breaks off, and nothing is deleted then", async () => {
    const { outcome } = await start(
      // The last of the four to come breaks off, when the first one has begun to copy.
      `if [ -n "$part" ]; then
         for number in 1 2 3 4; do mkdir "turn-$number" 2>/dev/null && break; done
         if [ $number = 4 ]; then until ls -A dest | grep -q '^.file-'; do sleep 0.1; done; echo 'it broke off' >&2; exit 12; fi
       fi`,
      { opts: endless },
    );
    expect(await outcome).toMatchObject({
      kind: "failed",
      retryable: true,
      message: expect.stringMatching(/rsync ended with 12: .*it broke off/),
      report: { exitCode: 12 },
    });
    await waitUntil("nobody is left", nobodyIsLeft);
    await access(at("dest/surplus"));
    expect(await copied()).toBeLessThan(600);
  });

  it.each(["is there", "has to be made"])("all end when one meets a bug, where the destination %s", async (where) => {
    if (where === "has to be made") await rm(at("dest"), { recursive: true });
    const onOutput = (_stream: string, line: string) => {
      if (line === "stray") throw new Error("a bug");
    };
    const { outcome } = await start(`if [ -n "$part" ] && mkdir once 2>/dev/null; then echo stray; sleep 600; fi`, {
      ...{ opts: endless, context: { onOutput } },
    });
    expect(await outcome).toMatchObject({
      kind: "failed",
      cause: "exception",
      message: expect.stringMatching("a bug"),
    });
    expect(processesMentioning(at("dest"))).toEqual([]);
  });

  it("stop with the action, and leave nobody behind", async () => {
    const { outcome, stop } = await start("", { opts: endless });
    await waitUntil("all parts copy", () => partsRunning(at("dest")) === 4);
    stop("cancelled");
    expect(await outcome).toMatchObject({ kind: "cancelled", reason: "cancelled" });
    await waitUntil("nobody is left", nobodyIsLeft);
    await access(at("dest/surplus"));
  });

  it("are cancelled with the action also when one had ended before, and could not copy all", async () => {
    const { outcome, stop } = await start(
      // Who has been waited for has been noticed, too.
      `if [ -n "$part" ]; then
         if mkdir once 2>/dev/null; then echo $$ >once/pid; exit 23; fi
         until [ -s once/pid ] && ! kill -0 "$(cat once/pid)" 2>/dev/null; do sleep 0.05; done
         touch goes-on; exec sleep 600
       fi`,
      {},
    );
    await waitUntil("one has ended, and another goes on", () => existsSync(at("goes-on")));
    stop("cancelled");
    expect(await outcome).toMatchObject({
      ...{ kind: "cancelled", reason: "cancelled" },
      message: expect.stringMatching(/^cancelled came; rsync ended with 23: /),
    });
    await access(at("dest/surplus"));
  });

  const onceIncomplete = `if [ -n "$part" ] && mkdir once 2>/dev/null; then "$rsync" "$@"; echo 'one file could not be read' >&2; exit 23; fi`;

  it("go on when one could not copy all; where the last rsync finds nothing missing, nothing is", async () => {
    const { outcome, lines } = await start(onceIncomplete, {});
    expect(await outcome).toMatchObject({
      kind: "ok",
      report: { exitCode: 0, stats: { filesTotal: 601, filesTransferred: 600, filesCreated: 600, filesDeleted: 1 } },
    });
    expect(lines).toContain("stderr: one file could not be read");
    expect(await copied()).toBe(600);
  });

  it.each([23, 24])("are not made good by a last rsync that could not copy all either (%i)", async (code) => {
    const { outcome } = await start(
      `${onceIncomplete}; case "$part$*" in *--dry-run*|yes*) ;; *) "$rsync" "$@"; exit ${code} ;; esac`,
      {},
    );
    expect(await outcome).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("one file could not be read"),
      report: { exitCode: 23 },
    });
  });

  it.each(["--ignore-existing", "--update", "--size-only"])(
    "are not made good by a last rsync that passes over what they have left: %s",
    async (option) => {
      const { outcome } = await start(onceIncomplete, { opts: [option] });
      expect(await outcome).toMatchObject({
        kind: "failed",
        message: expect.stringContaining("one file could not be read"),
        report: { exitCode: 23 },
      });
    },
  );

  it("are not begun where rsync cannot be asked: one copies alone", async () => {
    const { outcome, log } = await start(`case "$*" in *--dry-run*) exit 2 ;; esac`, {});
    expect(await outcome).toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 600 } } });
    expect(log.messages("warn")).toEqual(["one rsync copies alone: it cannot be asked what is to be copied"]);
    expect(log.messages("info")).toEqual([]);
  });

  it("hold the kernel lock together: nobody else gets it, and the last rsync has it alone", async () => {
    const hold = at("x.hold");
    const mine = [{ hold, lock: undefined, token }];
    const { outcome, stop } = await start("", { holds: mine, opts: endless });
    await waitUntil("all parts copy", () => partsRunning(at("dest")) === 4);
    expect(spawnSync("flock", ["-n", "-x", hold, "true"]).status).toBe(1);
    const other = startAction(buildSync({ sources: [`${at("source")}/`], dest: at("other") }), {
      holds: [{ hold, lock: undefined, token: "another-token-another" }],
    });
    expect(await other.outcome).toMatchObject({ kind: "failed", retryable: true, report: { turnedAway: true } });
    stop();
    await outcome;
    await waitUntil("the lock is free", () => spawnSync("flock", ["-n", "-x", hold, "true"]).status === 0);
  });

  it("may all have written where only one of them was never let in at the other host", async () => {
    const look =
      "printf 'rsyncdirector-part <f+++++++++ 3000000 %s\\n' a b; printf 'Number of files: 3\\nTotal file size: 6\\n'";
    const refused = [
      "ssh: connect to host backup01 port 22: Connection refused",
      "rsync: connection unexpectedly closed (0 bytes received so far) [sender]",
    ];
    const env = await standIn(
      `case "$*" in *--dry-run*) ${look}; exit 0 ;; esac
       if mkdir once 2>/dev/null; then until [ -e writes ]; do sleep 0.05; done; printf '%s\\n' ${refused.map((line) => `'${line}'`).join(" ")} >&2; exit 255; fi
       touch writes; exec sleep 600`,
    );
    const action = buildSync({ sources: [`${at("source")}/`], dest: "/backup", parallel: 2 });
    const test = setUp(realActions({ env }));
    const { outcome } = await test.run(buildJob({ type: "remote", actions: [action], endpoint: plainEndpoint }));
    expect(outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("rsync ended with 255") });
    expect(test.released).toEqual([{ survivors: [], atTargets: ["backup01"] }]);
  });

  it("are not begun beside what is left of an earlier try", async () => {
    const hold = at("x.hold");
    const { outcome, log } = await start("", { holds: [{ hold, lock: undefined, token }] });
    expect(await outcome).toMatchObject({ kind: "ok" });
    await writeFile(at("source/more"), "");
    const left = spawn("flock", ["--no-fork", "-s", hold, "sleep", "600"], { stdio: "ignore" });
    onTestFinished(() => void left.kill());
    await waitUntil("it has the lock", () => spawnSync("flock", ["-n", "-x", hold, "true"]).status === 1);
    const again = await start("", { holds: [{ hold, lock: undefined, token }] });
    expect(await again.outcome).toMatchObject({
      kind: "failed",
      retryable: true,
      message: expect.stringContaining("another writer still holds"),
    });
    expect(log.messages("info").filter((text) => text === "part of a sync started")).toHaveLength(4);
  });
});
