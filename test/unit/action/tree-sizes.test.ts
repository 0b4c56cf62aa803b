import { describe, expect, it } from "vitest";
import { createTreeSizes, recursionWords } from "../../../src/action/tree-sizes.ts";
import type { RsyncOptions } from "../../../src/base/rsync-options.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import type { TransferStats } from "../../../src/model/transfer.ts";
import { buildJob } from "../../support/build-job.ts";
import { buildSync } from "../../support/run-action.ts";

interface Case {
  files?: number | undefined;
  ms?: number | undefined;
  words?: string[];
  rsync?: RsyncOptions;
}

async function choose(given: Case): Promise<{ words: string[]; asked: number }> {
  const { files, ms, words = ["--archive"], rsync = {} } = { files: 10_000, ms: 40, ...given };
  let asked = 0;
  const roundTrip = () => {
    asked += 1;
    return Promise.resolve(ms);
  };
  return { words: await recursionWords(buildSync({ rsync }), words, { files, roundTrip }), asked };
}

const whole = ["--no-inc-recursive"];

describe("how a complete sync walks through its tree", () => {
  it.each([
    ["10,000 files, far away", {}, whole],
    ["1,000 files", { files: 1000 }, whole],
    ["500,000 files", { files: 500_000 }, whole],
    ["5 ms away", { ms: 5 }, whole],
    ["near", { ms: 4.9 }, []],
    ["a distance that nobody knows", { ms: undefined }, []],
    ["rsync: {recursion: incremental}", { rsync: { recursion: "incremental" } }, []],
    ["rsync: {recursion: auto}", { rsync: { recursion: "auto" } }, whole],
  ] as const)("%s", async (_, given, expected) => {
    expect((await choose(given)).words).toEqual(expected);
  });

  it.each([
    ["too few files", { files: 999 }],
    ["too many for the memory", { files: 500_001 }],
    ["a size that nobody knows", { files: undefined }],
    ["no recursion", { words: ["-t"] }],
    ["recursion taken back", { words: ["-a", "--no-r"] }],
    ["the operator's word for it", { words: ["-a", "--inc-recursive"] }],
    ["the operator's word for it, short", { words: ["-a", "--i-r"] }],
    ["the operator's word against it", { words: ["-a", "--no-i-r"] }],
    ["--delete-before, which reads everything first", { words: ["-a", "--delete-before"] }],
    ["--delete-after, too", { words: ["-a", "--delete-after"] }],
    ["--delay-updates, too", { words: ["-a", "--delay-updates"] }],
    ["-m, too", { words: ["-am"] }],
  ])("asks for no round trip where that decides nothing: %s", async (_, given) => {
    expect(await choose(given)).toEqual({ words: [], asked: 0 });
  });
});

describe("the known sizes of trees", () => {
  const stats = (filesTotal: number | null) => ({ filesTotal }) as TransferStats;
  const outcome = (files: number | null): ActionOutcome => ({
    kind: "ok",
    report: { argv: [], output: "", exitCode: 0, signal: null, stats: stats(files) },
  });

  it("are kept for each action and target by themselves, the last one that was told", () => {
    const sizes = createTreeSizes();
    const [one, two] = [buildSync({ id: "one" }), buildSync({ id: "two" })];
    const job = buildJob({ actions: [one, two] });
    const target = job.targets[0]!;
    sizes.learn(job, one, { target, outcome: outcome(5000) });
    sizes.learn(job, one, { target, outcome: outcome(null) });
    expect(sizes.lastKnown(job, one, target)).toBe(5000);
    expect(sizes.lastKnown(job, two, target)).toBeUndefined();
    expect(sizes.lastKnown(job, one, { ...target, id: "other" })).toBeUndefined();
  });
});
