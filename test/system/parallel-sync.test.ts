import { execFileSync } from "node:child_process";
import {
  appendFile,
  chmod,
  link,
  lstat,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SyncAction } from "../../src/config/resolved.ts";
import { compareTrees } from "../support/compare-trees.ts";
import type { JobDraft } from "../support/build-job.ts";
import { expectCreated } from "../support/created-files.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { newSeed, randomFrom } from "../support/random.ts";
import { buildSync, startAction } from "../support/run-action.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const names = ["a", "b", "c d", "-e", "f.tmp", "skip", "n\nl", "[x]*", "#y", "z\\", ";s", "ü", "\\#303"];

/** Every kind of entry that rsync copies; the same for the same random numbers. */
async function growTree(root: string, random: () => number, count: number): Promise<void> {
  const pick = <Value>(from: readonly Value[]): Value => from[Math.floor(random() * from.length)] as Value;
  const files: string[] = [];
  const directories = [""];
  await mkdir(root, { recursive: true });
  for (let number = 0; number < count; number += 1) {
    const parent = pick(directories);
    const path = join(root, parent, `${pick(names)}${number % 7 === 0 ? "" : number}`);
    const time = new Date(1_600_000_000_000 + Math.floor(random() * 1e11));
    const kind = random();
    try {
      if (kind < 0.1) {
        await mkdir(path);
        directories.push(path.slice(root.length + 1));
        await chmod(path, pick([0o755, 0o700, 0o2775, 0o555]));
      } else if (kind < 0.15) {
        await symlink(pick(["nowhere", "../a", "a"]), path);
        await lutimes(path, time, time);
      } else if (kind < 0.2 && files.length > 0) {
        await link(pick(files), path);
      } else {
        await writeFile(path, "x".repeat(Math.floor(random() * 3000)) + number, { flag: "wx" });
        if (kind > 0.98) await truncate(path, 3_000_000);
        await chmod(path, pick([0o644, 0o600, 0o755, 0o440]));
        await utimes(path, time, time);
        files.push(path);
      }
    } catch (error) {
      if (!["EEXIST", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  for (const directory of directories.toReversed()) {
    const time = new Date(1_500_000_000_000 + Math.floor(random() * 1e11));
    await utimes(join(root, directory), time, time);
  }
}

/** Takes away, changes and replaces some of what is there. */
async function disturb(root: string, random: () => number): Promise<void> {
  for (const path of (await readdir(root, { recursive: true })).toSorted().toReversed()) {
    const at = join(root, path);
    const chance = random();
    if (chance < 0.4) await rm(at, { recursive: true, force: true });
    else if (chance < 0.5) {
      await rm(at, { recursive: true, force: true });
      await mkdir(at, { recursive: true });
      await writeFile(join(at, "inside"), "");
    } else if (chance < 0.6) {
      await rm(at, { recursive: true, force: true });
      await symlink("elsewhere", at);
    } else if (chance < 0.7 && (await lstat(at)).isFile()) await appendFile(at, "more");
  }
}

const asIs = (source: string, dest: string) => execFileSync("cp", ["-a", "--", `${source}/.`, `${dest}/`]);

/** What rsync itself says of two trees, hard links, ACLs and attributes too; nothing, where they are the same. */
function differencesByRsync(left: string, right: string): string[] {
  const words = ["-naHAXi", "--delete", "--checksum", "--numeric-ids", "--modify-window=0"];
  const text = execFileSync("rsync", [...words, `${left}/`, `${right}/`], { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}

/** rsync leaves some directories the time of its own run: those it had to write into, and whose times it does not set. */
function isOfNow(difference: string): boolean {
  const [left = 0, right = 0] =
    /: mtime (\d+) on the left, (\d+) on the right$/.exec(difference)?.slice(1).map(Number) ?? [];
  return Math.min(left, right) > startedAt;
}

/** Names of hard links, one group to a line. */
function linkGroups(root: string): string[] {
  const list = execFileSync("find", [".", "-type", "f", "-links", "+1", "-printf", "%i %P\\0"], {
    cwd: root,
    encoding: "utf8",
  });
  const groups = new Map<string, string[]>();
  for (const entry of list.split("\0").filter((text) => text !== "")) {
    const [inode = "", ...path] = entry.split(" ");
    groups.set(inode, [...(groups.get(inode) ?? []), path.join(" ")]);
  }
  return [...groups.values()].map((group) => group.toSorted().join(" = ")).toSorted();
}

const plans: readonly (readonly [string, Partial<SyncAction>])[] = [
  ["archive", {}],
  ["deletes", { opts: ["--delete"] }],
  ["hard links, deletions late", { opts: ["-H", "--delete-delay"] }],
  ["sparse, ACLs, attributes", { opts: ["-SAXH", "--delete-after"] }],
  ["filters", { opts: ["--exclude=*.tmp*", "--include=skip", "--exclude=skip*", "--delete"] }],
  ["filters that delete", { opts: ["--filter=- /c d*", "--exclude=b?", "--delete-excluded"] }],
  ["endings", { extensions: ["1", "3", "7"], opts: ["--delete"] }],
  ["other modes", { opts: ["--chmod=D750,F640", "--update"] }],
  ["without modes", { opts: ["--no-p", "--no-g", "--no-o", "-E"] }],
  ["only new files", { opts: ["--ignore-existing"] }],
  ["only existing files", { opts: ["--existing", "--delete"] }],
  ["sizes only, small files", { opts: ["--size-only", "--max-size=2k", "-m"] }],
];

const seed = newSeed();
const startedAt = Math.floor(Date.now() / 1000) - 1;

describe("a sync that is split", () => {
  let host: TestSshd;
  let directory: string;
  let source: string;
  let before: string;
  beforeAll(async () => {
    host = await startSshd();
    directory = await mkdtemp(join(tmpdir(), "rsyncdirector-test-"));
    [source, before] = [join(directory, "source"), join(directory, "before")];
    const random = randomFrom(seed);
    await growTree(source, random, 700);
    await mkdir(before);
    asIs(source, before);
    await disturb(before, random);
    await growTree(before, random, 100);
  }, 120_000);
  afterAll(async () => {
    await host.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const jobs = (): Record<string, JobDraft> => {
    const endpoint = endpointOf(host);
    return {
      here: {},
      push: { type: "remote", direction: "push", endpoint },
      pull: { type: "remote", direction: "pull", endpoint },
    };
  };

  const cases = plans.flatMap(([name, plan], index) => {
    const ways = index < 3 ? ["here", "push", "pull"] : [["here", "push", "pull"][index % 3] ?? "here"];
    return ways.map((way) => [way, name, plan] as const);
  });
  it.each(cases)(
    `leaves what one rsync leaves: %s, %s (seed ${seed})`,
    async (way, _name, plan) => {
      const dests = await makeTempDir();
      const [one, split] = [join(dests, "one"), join(dests, "split")];
      for (const dest of [one, split]) {
        await mkdir(dest);
        asIs(before, dest);
      }
      const job = jobs()[way]!;
      const log = createMemoryLog();
      const outcomes = [];
      for (const [dest, parallel] of [
        [one, 1],
        [split, 4],
      ] as const) {
        const action = buildSync({ sources: [`${source}/`], dest, parallel, ...plan });
        const holds = [{ hold: `${dest}.hold`, lock: undefined, token: "tokentokentokentoken-1" }];
        outcomes.push(await startAction(action, { job, log, holds }).outcome);
      }
      const [alone, together] = outcomes;
      expect(together!.kind).toBe(alone!.kind);
      expect(compareTrees(one, split, { mtimes: "all" }).filter((line) => !isOfNow(line))).toEqual([]);
      expect(differencesByRsync(one, split).filter((line) => !/^\.d\.\.t\.+ /.test(line))).toEqual([]);
      expect(linkGroups(split)).toEqual(linkGroups(one));
      // What cannot be copied is tried by a part and by the last one.
      if (alone!.kind !== "ok") return;
      const [a, b] = [alone!.report?.stats, together!.report?.stats];
      expect(b).toMatchObject({ filesTotal: a?.filesTotal, filesDeleted: a?.filesDeleted, totalBytes: a?.totalBytes });
      // Of a file with several names one that a part had copied may be copied again.
      if (plan.opts?.some((word) => word.includes("H")) === true) return;
      const { filesCreated, filesTransferred, transferredBytes } = a!;
      expect(b).toMatchObject({ filesTransferred, transferredBytes });
      expectCreated(b!.filesCreated, filesCreated, one);
    },
    120_000,
  );

  const firstCopies = plans.filter(([name]) => name !== "only existing files");
  it.each(firstCopies)(
    `leaves what one rsync leaves where nothing was: %s (seed ${seed})`,
    async (_name, plan) => {
      const dests = await makeTempDir();
      const outcomes = [];
      const log = createMemoryLog();
      for (const [name, parallel] of [
        ["one", 1],
        ["split", 3],
      ] as const) {
        const action = buildSync({ sources: [`${source}/`], dest: join(dests, name), parallel, ...plan });
        const holds = [{ hold: join(dests, `${name}.hold`), lock: undefined, token: "tokentokentokentoken-1" }];
        outcomes.push(await startAction(action, { job: jobs()["push"]!, log, holds }).outcome);
      }
      const [alone, together] = outcomes;
      expect(together!.kind).toBe(alone!.kind);
      expect(log.messages("warn")).toEqual([]);
      const [one, split] = [join(dests, "one"), join(dests, "split")];
      expect(compareTrees(one, split, { mtimes: "all" }).filter((line) => !isOfNow(line))).toEqual([]);
      expect(differencesByRsync(one, split).filter((line) => !/^\.d\.\.t\.+ /.test(line))).toEqual([]);
      expect(linkGroups(split)).toEqual(linkGroups(one));
    },
    120_000,
  );

  it("is split into several parts at all", async () => {
    const log = createMemoryLog();
    const action = buildSync({ sources: [`${source}/`], dest: join(directory, "dest"), parallel: 4 });
    const { outcome, progress } = startAction(action, { log });
    expect(await outcome).toMatchObject({ kind: "ok" });
    expect(log.lines.filter(({ message }) => message === "part of a sync started")).toHaveLength(4);
    expect(progress.length).toBeGreaterThan(0);
    expect(compareTrees(source, join(directory, "dest"), { mtimes: "all" })).toEqual([]);
  });
});
