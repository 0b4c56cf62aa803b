import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { HoldClaim } from "../../src/model/hold.ts";
import { findProgram } from "../../src/process/find-program.ts";
import { buildRsyncCommand, type RsyncCommandSpec } from "../../src/rsync/command.ts";
import { holdLocally } from "../../src/rsync/hold-wrapper.ts";
import { runRsync } from "../../src/rsync/run-rsync.ts";
import { holdSleep } from "../support/held-sleep.ts";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { lockFile } from "../support/lock-flock.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
afterAll(() => rm(unpacked, { recursive: true, force: true }));
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

const shells = ["sh", "bash", "dash", "csh", "tcsh", "fish"];
const installed = shells.filter((name) => findProgram(name, process.env["PATH"] ?? "") !== undefined);
const notInstalled = shells.filter((name) => !installed.includes(name));
if (notInstalled.length > 0) console.log(`SKIPPED login shells that are not installed: ${notInstalled.join(", ")}`);

const fixtures = join(import.meta.dirname, "..", "fixtures", "bin");
const token = "-tokenABCDEF_123456789";

let here: string;
let there: string;
beforeEach(async () => {
  const directory = await makeTempDir();
  here = join(directory, "here");
  there = join(directory, "there");
  await mkdir(here);
  await mkdir(there);
  await writeFile(join(here, "file"), "content");
});

async function writeLock(path: string, content = `1\n{"token":"${token}"}\n`): Promise<HoldClaim> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return { hold: `${path}.hold`, lock: path, token };
}

interface Trial extends Partial<RsyncCommandSpec> {
  shell?: string;
  /** Where programs are looked for first, on both sides. */
  bin?: string;
  side?: "push" | "pull" | "local";
}

async function copy({ shell = "sh", bin, side = "push", ...spec }: Trial) {
  const remote = {
    host: "loop",
    user: undefined,
    shell: [join(fixtures, "loopback-shell")],
    side: side === "pull" ? ("source" as const) : ("dest" as const),
  };
  const words = buildRsyncCommand({
    sources: [`${here}/`],
    dest: there,
    options: { archive: true },
    opts: [],
    dryRun: false,
    remote: side === "local" ? undefined : remote,
    ...spec,
  });
  const [file = "", ...args] = words;
  const path = `${bin === undefined ? "" : `${bin}:`}${process.env["PATH"]}`;
  const env = { PATH: path, LC_ALL: "C.UTF-8", REMOTE_HOME: there, REMOTE_SHELL: shell };
  const signal = new AbortController().signal;
  return runRsync({ file, args, env }, { signal, clock: systemClock, log: silentLogger });
}

const arrived = () => readFile(join(there, "file"), "utf8").catch(() => undefined);
const hostile = ['it\'s $(touch PWNED) `x` "!q"', "back\\slash\\\\n %s", "schön 😀 ;&|<>", "--rsh=x", "*?[a]{b,c}~"];

describe.each(versions)("a writer behind hold locks, rsync $version", ({ bin }) => {
  it.each(["push", "pull", "local"] as const)("writes when nobody else does: %s", async (side) => {
    const holds = [await writeLock(join(there, "locks", "a")), await writeLock(join(there, "locks", "b"))];
    expect(await copy({ bin, side, holds })).toMatchObject({ process: { code: 0 }, holdRefusal: undefined });
    expect(await arrived()).toBe("content");
  });

  it.each(["push", "pull", "local"] as const)("is refused while another one lives: %s", async (side) => {
    const claim = await writeLock(join(there, "locks", "a"));
    const other = await lockFile(claim.hold);
    expect(await copy({ bin, side, holds: [claim] })).toMatchObject({ holdRefusal: "busy" });
    expect(await arrived()).toBeUndefined();
    await other.letGo();
    expect(await copy({ bin, side, holds: [claim] })).toMatchObject({ process: { code: 0 } });
  });

  it.each(["push", "pull", "local"] as const)("is refused when its token is not in the lock: %s", async (side) => {
    const claim = await writeLock(join(there, "locks", "a"), '1\n{"token":"somebody-elses-token-1"}\n');
    expect(await copy({ bin, side, holds: [claim] })).toMatchObject({ holdRefusal: "lost" });
    const sound = await writeLock(join(there, "locks", "b"));
    expect(await copy({ bin, side, holds: [sound, claim] })).toMatchObject({ holdRefusal: "lost" });
    await rm(claim.lock ?? "");
    expect(await copy({ bin, side, holds: [claim] })).toMatchObject({ holdRefusal: "lost" });
    expect(await arrived()).toBeUndefined();
  });

  it.each(["push", "pull", "local"] as const)("says so when the lock cannot be taken at all: %s", async (side) => {
    const hold = join(there, "nowhere", "x.hold");
    const result = await copy({ bin, side, holds: [{ hold, lock: undefined, token }] });
    expect(result).toMatchObject({ holdRefusal: "unable" });
    expect(await arrived()).toBeUndefined();
  });

  it("takes every hold before it looks at any lock", async () => {
    const holds = [await writeLock(join(there, "locks", "a")), await writeLock(join(there, "locks", "b"))];
    const [a, b] = holds.map(({ hold }) => hold) as [string, string];
    const other = await lockFile(b);
    const sleep = await holdSleep();
    const copied = copy({ bin: `${sleep.bin}:${bin}`, holds });
    // It has the first and waits for the second: what it sees in the first lock must not be of before.
    await sleep.begun();
    await writeFile(a.replace(/\.hold$/, ""), '1\n{"token":"somebody-elses-token-1"}\n');
    await other.letGo();
    await sleep.end();
    expect(await copied).toMatchObject({ holdRefusal: "lost" });
    expect(await arrived()).toBeUndefined();
  });

  it.each(["push", "pull", "local"] as const)("is refused when a hold names its token as dead: %s", async (side) => {
    const elsewhere = join(there, "holds", "x.hold");
    const holds = [await writeLock(join(there, "locks", "a")), { hold: elsewhere, lock: undefined, token }];
    await mkdir(dirname(elsewhere));
    await writeFile(elsewhere, `dead ${token}x;\ndead another-token-0123456;\n`);
    expect(await copy({ bin, side, holds })).toMatchObject({ process: { code: 0 } });
    await rm(join(there, "file"));
    await writeFile(elsewhere, `dead another-token-0123456;\ntorn dead ${token};\ndead one-more-token-01234567;\n`);
    expect(await copy({ bin, side, holds })).toMatchObject({ holdRefusal: "lost" });
    expect(await arrived()).toBeUndefined();
  });

  it("may share the hold with others of its job, and with nobody who has it alone", async () => {
    const claim = { ...(await writeLock(join(there, "locks", "a"))), shared: true };
    const other = await lockFile(claim.hold, "-s");
    expect(await copy({ bin, holds: [claim] })).toMatchObject({ process: { code: 0 } });
    expect(await copy({ bin, holds: [{ ...claim, shared: false }] })).toMatchObject({ holdRefusal: "busy" });
    await other.letGo();
    const alone = await lockFile(claim.hold);
    expect(await copy({ bin, holds: [claim] })).toMatchObject({ holdRefusal: "busy" });
    await alone.letGo();
  });

  it("works with -s and with names that mean something to shells", async () => {
    for (const name of hostile) {
      const holds = [await writeLock(join(there, "locks", name))];
      for (const opts of [[], ["-s"]]) {
        expect(await copy({ bin, holds, opts }), name).toMatchObject({ process: { code: 0 } });
      }
      expect(await readFile(`${join(there, "locks", name)}.hold`, "utf8"), name).toBe("");
    }
    await expect(readFile(join(there, "PWNED"))).rejects.toThrow("ENOENT");
  });

  it.each(installed)("works behind the login shell %s", async (shell) => {
    for (const name of ["plain", ...hostile]) {
      const holds = [await writeLock(join(there, "locks", name))];
      const result = await copy({ bin, shell, holds });
      expect(result, `${name}: ${result.output}`).toMatchObject({ process: { code: 0 } });
    }
    const holds = [await writeLock(join(there, "locks", hostile[0] ?? ""))];
    const other = await lockFile(holds[0]?.hold ?? "");
    expect(await copy({ bin, shell, holds })).toMatchObject({ holdRefusal: "busy" });
    await other.letGo();
  });

  it.each(["nice -n 1 rsync", "cd / && rsync", "env 'X=it'\\''s!' rsync", 'f() { rsync "$@"; }; f'])(
    "runs the operator's own rsync_path inside: %s",
    async (rsyncPath) => {
      const holds = [await writeLock(join(there, "locks", "a"))];
      for (const shell of installed) {
        const result = await copy({ bin, shell, holds, opts: [`--rsync-path=${rsyncPath}`] });
        expect(result, `${shell}: ${result.output}`).toMatchObject({ process: { code: 0 } });
      }
      const other = await lockFile(holds[0]?.hold ?? "");
      expect(await copy({ bin, holds, options: { rsyncPath } })).toMatchObject({ holdRefusal: "busy" });
      await other.letGo();
    },
  );
});

it("waits out somebody who only looks", async () => {
  const claim = await writeLock(join(there, "locks", "a"));
  const looker = await lockFile(claim.hold);
  const sleep = await holdSleep();
  const copied = copy({ bin: sleep.bin, holds: [claim] });
  await sleep.begun();
  await looker.letGo();
  await sleep.end();
  expect(await copied).toMatchObject({ process: { code: 0 }, holdRefusal: undefined });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("SKIPPED the test with another account: only root can become one");

it.runIf(isRoot)("is enough for an account that may only read the hold file", async () => {
  const claim = await writeLock(join(there, "locks", "a"));
  await writeFile(claim.hold, "", { mode: 0o644 });
  for (const directory of [dirname(there), there]) await chmod(directory, 0o755);
  const asNobody = (claimed: HoldClaim) =>
    execa("setpriv", ["--reuid=65534", "--clear-groups", ...holdLocally([claimed], ["/bin/true"])], { reject: false });
  expect(await asNobody(claim)).toMatchObject({ exitCode: 0, stderr: "" });
  const other = await lockFile(claim.hold);
  expect(await asNobody(claim)).toMatchObject({ exitCode: 75, stderr: "RDHOLD busy" });
  await other.letGo();
  expect(await asNobody({ ...claim, hold: `${claim.hold}.new` })).toMatchObject({ exitCode: 77 });
});
