import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ClusterHost, type Csync2TestCluster, openCluster, whyNoCluster } from "../support/csync2-cluster.ts";
import type { DirectorProcess } from "../support/director-process.ts";
import { type ConfigDraft, type Instance, makeInstance, runCli } from "../support/instance.ts";

const missing = whyNoCluster();
if (missing !== undefined) console.warn(`a watch with csync2 between three hosts is not tested: ${missing}`);

const peers: readonly ClusterHost[] = ["beta", "gamma"];
const patience = { timeout: 60_000, interval: 50 };
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };

describe.skipIf(missing !== undefined)("a watched job that was imported from csync2.cfg, on one of three hosts", () => {
  let cluster: Csync2TestCluster;
  beforeEach(async () => void (cluster = await openCluster()));

  /** The import with the flags of the script, plus what keeps a test quick and apart from others. */
  async function importedInstance(
    options: { host?: ClusterHost; flags?: readonly string[]; keys?: ConfigDraft } = {},
  ): Promise<Instance> {
    const { host = "alpha", flags = [], keys = {} } = options;
    const own = ["-N", host, "-D", cluster.databases(host), "--check-interval", "0.2", "--max-wait-time", "2"];
    const imported = await runCli(["import", cluster.configFile(host), "--", ...own, ...flags]);
    expect(imported).toMatchObject({ exitCode: 0, stderr: "" });
    const { jobs, ...rest } = parse(imported.stdout) as { jobs: [ConfigDraft] };
    return makeInstance({ ...rest, jobs: [{ ...jobs[0], retry: { delay: 1, max_delay: 2 }, ...keys }] });
  }

  const start = (instance: Instance, host: ClusterHost = "alpha") =>
    instance.start({ env, inside: cluster.inside(host) });
  const file = (host: ClusterHost, name: string) => readFile(cluster.data(host, name), "utf8").catch(() => undefined);
  const write = (name: string, text: string) => writeFile(cluster.data("alpha", name), text);

  /** Resolves when a file has this content on these hosts; undefined: it is gone. */
  async function arrives(name: string, content: string | undefined, hosts = peers): Promise<void> {
    for (const host of hosts) await expect.poll(() => file(host, name), patience).toBe(content);
  }

  /** A gauge of the director on a host, asked for there, for no other host reaches its loopback. */
  async function gauge(instance: Instance, name: string, host: ClusterHost = "alpha"): Promise<number | undefined> {
    const ask = `fetch("http://127.0.0.1:${instance.metricsPort}/metrics").then((r) => r.text()).then(console.log)`;
    const command: string[] = [...cluster.inside(host), process.execPath, "-e", ask];
    const series = `rsyncdirector_${name}{job_id="csync2",target="csync2"} `;
    const { stdout } = await execa(command[0] ?? "", command.slice(1));
    const line = stdout.split("\n").find((text) => text.startsWith(series));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }

  const nothingPending = (instance: Instance) => expect.poll(() => gauge(instance, "pending_files"), patience).toBe(0);

  async function stop(director: DirectorProcess): Promise<void> {
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
  }

  it("brings to both peers what is there, and what is made, changed, renamed and deleted", async () => {
    await mkdir(cluster.data("alpha", "before"));
    await write("before/first", "one");
    await write("before/left.tmp", "csync2.cfg excludes it");
    const instance = await importedInstance();
    const director = await start(instance);
    await arrives("before/first", "one");
    await mkdir(cluster.data("alpha", "new/deep"), { recursive: true });
    await write("new/deep/file", "two");
    await arrives("new/deep/file", "two");
    await write("before/first", "ONE");
    await arrives("before/first", "ONE");
    await rename(cluster.data("alpha", "new"), cluster.data("alpha", "moved"));
    await arrives("moved/deep/file", "two");
    await arrives("new/deep/file", undefined);
    await rm(cluster.data("alpha", "before/first"));
    await arrives("before/first", undefined);
    for (const peer of peers) {
      expect(await file(peer, "before/left.tmp")).toBeUndefined();
      expect(existsSync(cluster.data(peer, "new"))).toBe(false);
    }
    await nothingPending(instance);
    expect(await gauge(instance, "oldest_pending_seconds")).toBe(0);
    await stop(director);

    // What has arrived is not sent again: csync2 finds nothing to do for any peer.
    const second = await start(instance);
    await second.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
    expect(second.lines.filter(({ line }) => /^(Updating|Connecting)/.test(String(line)))).toEqual([]);
    await stop(second);
  });

  it("fails while a peer is down, serves the other, and makes the one whole when it is back", async () => {
    const instance = await importedInstance();
    const director = await start(instance);
    await director.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
    await cluster.stop("beta");
    const down = director.lines.length;
    await write("file", "text");
    const failed = await director.waitForLine(({ msg }) => msg === "job finished", { since: down });
    expect(failed).toMatchObject({ outcome: "failed", detail: expect.stringContaining("beta cannot be reached") });
    expect(await file("gamma", "file")).toBe("text");
    expect(await file("beta", "file")).toBeUndefined();
    expect(await gauge(instance, "pending_files")).toBe(1);
    expect(await gauge(instance, "oldest_pending_seconds")).toBeGreaterThan(0);
    // A change that comes meanwhile does not wait for beta either.
    await write("another", "more");
    await arrives("another", "more", ["gamma"]);
    const since = director.lines.length;
    await cluster.start("beta");
    await director.waitForLine(({ msg, outcome }) => msg === "job finished" && outcome === "ok", { since });
    expect(await file("beta", "file")).toBe("text");
    expect(await file("beta", "another")).toBe("more");
    await nothingPending(instance);
    expect(await gauge(instance, "oldest_pending_seconds")).toBe(0);
    await stop(director);
  });

  it("remembers over a restart what a peer has not got", async () => {
    const instance = await importedInstance();
    const first = await start(instance);
    await first.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
    await cluster.stop("gamma");
    const down = first.lines.length;
    await write("file", "text");
    await first.waitForLine(({ msg, outcome }) => msg === "job finished" && outcome === "failed", { since: down });
    await stop(first);
    await cluster.start("gamma");
    const second = await start(instance);
    await arrives("file", "text");
    expect(await file("gamma", "file")).toBe("text");
    await nothingPending(instance);
    await stop(second);
  });

  it("is not woken by the temporary files that csync2 itself makes in the directory", async () => {
    const instance = await importedInstance();
    await write("file", "one");
    const director = await start(instance);
    await arrives("file", "one");
    for (const content of ["two!", "three", "four and more"]) {
      await write("file", content);
      await arrives("file", content);
    }
    await nothingPending(instance);
    const causes = director.lines.flatMap(({ cause }) => (cause as { path?: string } | undefined)?.path ?? []);
    // A name of small letters only, one in two hundred, is not known for one of csync2's.
    expect(new Set(causes.filter((path) => !/\.[a-z]{6}$/.test(path)))).toEqual(
      new Set([cluster.path, `${cluster.path}/file`]),
    );
    await stop(director);
  });

  it("works on two hosts at the same time, with no conflict as long as they change different files", async () => {
    const [onAlpha, onBeta] = [await importedInstance(), await importedInstance({ host: "beta" })];
    const alpha = await start(onAlpha);
    await alpha.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
    const beta = await start(onBeta, "beta");
    await beta.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
    for (let round = 0; round < 15; round += 1) {
      // Of another length each time: csync2 itself takes a file of the same size and second for the same.
      const content = `round${" and on".repeat(round)}`;
      await write("of-alpha", content);
      await writeFile(cluster.data("beta", "of-beta"), content);
      // A new one has another mode and owner between the steps by which csync2 puts it in its place.
      await write(`alpha-${round}`, content);
      await writeFile(cluster.data("beta", `beta-${round}`), content);
      if (round % 3 !== 2) {
        await arrives("of-alpha", content, ["beta"]);
        continue;
      }
      for (const name of ["of-alpha", `alpha-${round}`]) await arrives(name, content);
      for (const name of ["of-beta", `beta-${round}`]) await arrives(name, content, ["alpha", "gamma"]);
    }
    await nothingPending(onAlpha);
    await expect.poll(() => gauge(onBeta, "pending_files", "beta"), patience).toBe(0);
    for (const director of [alpha, beta]) {
      expect(director.lines.filter(({ detail }) => String(detail).includes("conflict"))).toEqual([]);
      await stop(director);
    }
  });
});
