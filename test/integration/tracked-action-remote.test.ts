import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChangeTracker } from "../../src/changes/change-tracker.ts";
import type { Job, SyncAction } from "../../src/config/resolved.ts";
import { buildSync, startAction } from "../support/run-action.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { filesBelow, readChanges, trackedJob, trackerFor, trackingSettings } from "../support/tracked-tree.ts";

let sshd: TestSshd;
let directory: string;
let source: string;
let dest: string;
let tracker: ChangeTracker;

beforeAll(async () => void (sshd = await startSshd()));
afterAll(() => sshd.stop());

beforeEach(async () => {
  directory = await makeTempDir();
  [source, dest] = [join(directory, "source"), join(directory, "dest")];
  tracker = trackerFor(trackingSettings(directory));
  await mkdir(join(source, "sub"), { recursive: true });
  await writeFile(join(source, "a.conf"), "one\n");
  await writeFile(join(source, "sub/b.conf"), "b\n");
});

async function sync(direction: Job["direction"], overrides: Partial<SyncAction>): Promise<void> {
  const action = buildSync({ sources: [`${source}/`], dest, ...overrides });
  const job = { type: "remote" as const, direction, endpoint: endpointOf(sshd), trackChanges: trackedJob };
  await expect(startAction(action, { job, deps: { changes: tracker } }).outcome).resolves.toMatchObject({ kind: "ok" });
}

const changes = async () =>
  (await readChanges(join(directory, "backup"))).map(({ change, file }) => `${change} ${file}`).toReversed();

describe("over ssh", () => {
  it("a push tracks the source on this host", async () => {
    await sync("push", {});
    await writeFile(join(source, "a.conf"), "one\ntwo\n");
    await sync("push", {});
    expect(await changes()).toEqual([`modified ${join(source, "a.conf")}`]);
  });

  it.each([
    { from: "source/", to: "dest" },
    { from: "source", to: "dest/source" },
  ])("a pull of $from tracks the destination on this host, from before its first sync on", async ({ from, to }) => {
    const there = join(directory, to);
    await mkdir(there, { recursive: true });
    await writeFile(join(there, "a.conf"), "before everything\n");
    await writeFile(join(dest, "not of this sync"), "x\n");
    await sync("pull", { sources: [`${directory}/${from}`] });
    expect(await changes()).toEqual([`modified ${there}/a.conf`, `created ${there}/sub/b.conf`]);
    const log = await readFile(join(directory, "backup/changes.log"), "utf8");
    expect(log).toContain("-before everything\n+one\n");
    await rm(join(source, "sub"), { recursive: true });
    await sync("pull", { sources: [`${directory}/${from}`], opts: ["--delete"] });
    expect((await changes()).at(-1)).toBe(`deleted ${there}/sub/b.conf`);
    if (from === "source") expect(await filesBelow(dest)).toContain("not of this sync");
  });

  it("a pull of one file to a name of its own tracks that file", async () => {
    const to = join(directory, "copy.conf");
    await writeFile(to, "another\n");
    await sync("pull", { sources: [join(source, "a.conf")], dest: to });
    expect(await changes()).toEqual([`modified ${to}`]);
    await writeFile(join(source, "a.conf"), "one\ntwo\n");
    await sync("pull", { sources: [join(source, "a.conf")], dest: to });
    expect(await changes()).toEqual([`modified ${to}`, `modified ${to}`]);
  });
});
