import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { compareTrees } from "../support/compare-trees.ts";
import { type FailingSshd, startFailingSshd } from "../support/failing-sshd.ts";
import { waitUntil } from "../support/process-state.ts";
import { randomFrom } from "../support/random.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { mountTmpfs } from "../support/tmpfs.ts";
import { renameOver, writeSmallFiles } from "../support/tree-storms.ts";
import { makeWatchingInstance } from "../support/watching-instance.ts";

const rules = { mtimes: "files", timeoutMs: 120_000 } as const;
const few = { files: 40, directories: 4 };

async function failingHosts(count: number): Promise<FailingSshd[]> {
  const hosts = await Promise.all(Array.from({ length: count }, () => startFailingSshd()));
  onTestFinished(async () => void (await Promise.all(hosts.map((host) => host.stop()))));
  return hosts;
}

async function steadyHost() {
  const sshd = await startSshd();
  onTestFinished(() => sshd.stop());
  return sshd;
}

describe("a target that is down", () => {
  it("does not keep the two others waiting, and gets all that it missed when it is back", async () => {
    const hosts = await failingHosts(3);
    const targets = hosts.map(({ place }, index) => ({ id: `host${index}`, sshd: place }));
    const instance = await makeWatchingInstance({ targets });
    await writeSmallFiles(instance.place.tree, few, Math.random);
    await instance.startAndSync();
    await instance.untilNothingPending();
    await hosts[1]?.goDown();
    for (let round = 0; round < 5; round += 1) {
      await renameOver(instance.place, randomFrom(round));
      await instance.untilArrived(rules, "host0", "host2");
    }
    await instance.untilNothingPending("host0");
    await instance.untilNothingPending("host2");
    expect(await instance.pending("host1")).not.toBe(0);
    expect(compareTrees(instance.place.tree, instance.dest("host1"))).not.toEqual([]);
    await hosts[1]?.comeBack();
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
  });

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "gets what it missed from a director that was started anew after %s, without a complete sync at the start",
    async (signal) => {
      const [host] = (await failingHosts(1)) as [FailingSshd];
      const instance = await makeWatchingInstance({
        targets: [{ id: "one", sshd: host.place }],
        watch: { on_start: "none" },
      });
      const director = await instance.start();
      await writeFile(join(instance.place.tree, "first"), "arrives\n");
      await instance.untilArrived(rules);
      await host.goDown();
      await writeSmallFiles(instance.place.tree, few, Math.random);
      await waitUntil("all are in the journal", async () => (await instance.pending("one")) !== 0);
      const failed = ({ msg, outcome }: Readonly<Record<string, unknown>>) =>
        msg === "run finished" && outcome === "failed";
      await director.waitForLine(failed);
      director.signal(signal);
      expect(await director.exited).toBe(signal === "SIGTERM" ? 0 : "SIGKILL");
      await host.comeBack();
      await instance.start();
      await instance.untilArrived(rules);
      await instance.untilNothingPending();
    },
  );
});

describe("a target whose file system", () => {
  it("is full gets the rest when there is space again", async (context) => {
    const disk = await mountTmpfs("size=1m");
    if ("why" in disk) return context.skip(disk.why);
    const instance = await makeWatchingInstance({
      targets: [{ id: "one", sshd: await steadyHost(), dest: disk.directory }],
    });
    await writeFile(join(instance.place.tree, "small"), "fits\n");
    const director = await instance.startAndSync();
    const since = director.lines.length;
    for (let file = 0; file < 4; file += 1) {
      await writeFile(join(instance.place.tree, `large${file}`), randomBytes(600_000));
    }
    await director.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "failed", { since });
    expect(await instance.pending("one")).not.toBe(0);
    await disk.remount("size=16m");
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
  });

  it("is read-only gets everything when it is writable again", async (context) => {
    const disk = await mountTmpfs("size=16m");
    if ("why" in disk) return context.skip(disk.why);
    const instance = await makeWatchingInstance({
      targets: [{ id: "one", sshd: await steadyHost(), dest: disk.directory }],
    });
    await writeSmallFiles(instance.place.tree, few, Math.random);
    const director = await instance.startAndSync();
    await instance.untilArrived(rules);
    await disk.remount("ro");
    const since = director.lines.length;
    await renameOver(instance.place, randomFrom(1));
    await director.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "failed", { since });
    expect(await instance.pending("one")).not.toBe(0);
    await disk.remount("rw");
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
  });
});

describe("a source that was unmounted", () => {
  it("empties no target, and is carried again when it is back", async (context) => {
    const disk = await mountTmpfs("size=16m");
    if ("why" in disk) return context.skip(disk.why);
    const kept = await makeTempDir();
    const instance = await makeWatchingInstance({
      targets: [{ id: "one", sshd: await steadyHost() }],
      source: disk.directory,
      watch: { full_sync_interval: "2s" },
    });
    await writeSmallFiles(disk.directory, few, Math.random);
    const director = await instance.startAndSync();
    await instance.untilArrived(rules);
    await execa("cp", ["-a", `${disk.directory}/.`, kept]);
    const since = director.lines.length;
    await execa("umount", [disk.directory]);
    await director.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "failed", { since });
    expect(await readdir(disk.directory)).toEqual([]);
    expect(compareTrees(kept, instance.dest("one"))).toEqual([]);
    await execa("mount", ["-t", "tmpfs", "-o", "size=16m,mode=0755", "tmpfs", disk.directory]);
    await execa("cp", ["-a", `${kept}/.`, disk.directory]);
    await writeFile(join(disk.directory, "new"), "after it came back\n");
    await instance.untilArrived(rules);
  });
});
