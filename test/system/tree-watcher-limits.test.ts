import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it, vi } from "vitest";
import { makeTempDir } from "../support/temp-dir.ts";
import { watchTree, type WatchedTree } from "../support/watched-tree.ts";

const soon = { timeout: 30_000, interval: 20 };
const hearsEverything = (tree: WatchedTree, reason: string) =>
  vi.waitFor(() => expect(tree.everything.join("\n")).toContain(reason), soon);

async function makeDirectories(root: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await mkdir(join(root, `${n % 10}`, `${n}`), { recursive: true });
}

it("says when there are more directories than watches, scans instead, and recovers", async () => {
  let maxWatches = 100;
  const tree = await watchTree(await makeTempDir(), {
    rescanMs: 30,
    scanMs: 200,
    limits: { maxWatches: () => maxWatches, maxQueuedEvents: () => 16_384 },
    prepare: (source) => makeDirectories(source, 200),
  });
  // Five of a hundred are left to other programs.
  expect(tree.watcher.state()).toMatchObject({ watching: true, directories: 95, unwatched: 211 - 95 });
  expect(tree.watcher.state().degraded).toBe(
    `116 of 211 directories of ${tree.source} are not watched: the watches of this user are used up, of which there are 100; what changes in them is found by a complete sync every 200ms. To be raised: sysctl fs.inotify.max_user_watches=16384`,
  );
  expect(tree.log.messages("warn")).toEqual(["directory is not watched completely"]);
  await writeFile(join(tree.source, "file"), "1");
  await tree.hears("changed", "file");
  await writeFile(join(tree.source, "9/199/unseen"), "1");
  await hearsEverything(tree, "116 directories below");
  await tree.becomesEqual();

  maxWatches = 1000;
  await hearsEverything(tree, "there are enough watches");
  expect(tree.watcher.state()).toMatchObject({ directories: 211, unwatched: 0, degraded: null });
  await writeFile(join(tree.source, "9/199/seen"), "1");
  await tree.hears("changed", "9/199/seen");
  expect(tree.states.map(({ degraded }) => degraded === null)).toEqual([false, true]);
});

it("says so as well when the watches are used up later", async () => {
  const tree = await watchTree(await makeTempDir(), {
    limits: { maxWatches: () => 40, maxQueuedEvents: () => 16_384 },
  });
  expect(tree.watcher.state().degraded).toBeNull();
  await makeDirectories(tree.source, 100);
  await vi.waitFor(() => expect(tree.states.at(-1)?.degraded).toContain("directories of"), soon);
  await tree.becomesEqual();
});

it("knows a refusal of the kernel: ENOSPC in a user namespace with few watches", async ({ skip }) => {
  const directory = await makeTempDir();
  await makeDirectories(directory, 300);
  const program = join(import.meta.dirname, "../support/few-watches-process.ts");
  const script = 'echo 200 > /proc/sys/user/max_inotify_watches && exec "$@"';
  const unshare = ["unshare", "--user", "--map-root-user"];
  const possible = await execa(unshare[0] ?? "", [...unshare.slice(1), "sh", "-c", script, "sh", "true"], {
    reject: false,
  });
  if (possible.exitCode !== 0) return skip(`no user namespace here: ${possible.stderr}`);
  const { stdout } = await execa(unshare[0] ?? "", [
    ...unshare.slice(1),
    ...["sh", "-c", script, "sh", process.execPath, "--import", "tsx", program, directory],
  ]);
  const state = JSON.parse(stdout) as { directories: number; degraded: string };
  expect(state.degraded).toMatch(/^\d+ of 311 directories of .* are not watched: the watches of this user are used up/);
  expect(state.directories).toBe(200);
});

it("reports everything when the queue of events may have overflowed, and what was lost is watched", async () => {
  const tree = await watchTree(await makeTempDir(), { prepare: (source) => mkdir(join(source, "a")) });
  // Nobody reads the queue while this process stands still.
  const limit = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  const script =
    'n=0; while [ $n -lt $2 ]; do n=$((n+1)); echo > "$1/a/$((n % 500))"; : > "$1/a/$((n % 500 + 1))"; done; mkdir "$1/lost"; : > "$1/lost/file"';
  execFileSync("/bin/sh", ["-ec", script, "sh", tree.source, String(limit)]);
  await hearsEverything(tree, "the queue of events may have overflowed");
  await tree.becomesEqual();
  await writeFile(join(tree.source, "lost/later"), "1");
  await tree.hears("changed", "lost/later");
  expect(tree.watcher.state()).toMatchObject({ directories: 3, degraded: null });
});

it("counts a queue as overflowed long before a lowered limit is reached", async () => {
  const tree = await watchTree(await makeTempDir(), {
    limits: { maxWatches: () => 1000, maxQueuedEvents: () => 64 },
  });
  execFileSync("/bin/sh", ["-ec", 'for n in $(seq 60); do echo $n > "$1/$n"; done', "sh", tree.source]);
  await hearsEverything(tree, "the queue of events may have overflowed");
  await rm(join(tree.source, "7"));
  await tree.becomesEqual();
  expect(tree.watcher.state()).toMatchObject({ directories: 1, degraded: null });
});
