import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "./director.ts";
import { watchCountOf } from "./process-tree.ts";
import type { WatchSite } from "./watch-site.ts";

/** Somebody who carries the files of a site from its source to its dest. */
export interface WatchPeer {
  readonly name: string;
  /** How long it waits for more before it begins, as it was set. */
  readonly waitsMs: number;
  /** Resolves when it watches every directory there is in the source. */
  start(site: WatchSite, directories?: number): Promise<RunningPeer>;
}

export interface RunningPeer {
  /** Everything it starts descends from this process, which waits for it. */
  readonly pid: number;
  /** Tells those who do not watch what has changed, as paths below the source. */
  changed(paths: readonly string[]): void;
  stop(): Promise<void>;
}

/** Whole seconds, as lsyncd's delay. */
const waitsMs = 1000;

export const director: WatchPeer = {
  name: "director",
  waitsMs,
  start: async (site, directories = 0) => {
    const { sshd, knownHostsFile } = site.host;
    const job = {
      ...{ id: "watched", type: "remote", host: sshd.host, port: site.way.port, user: sshd.user },
      private_ssh_key: sshd.identityFile,
      watch: { debounce: `${waitsMs}ms` },
      actions: [{ action: "sync", id: "sync", source: `${site.source}/`, dest: `${site.dest}/`, opts: ["-a"] }],
    };
    const running = await startBenchDirector(join(site.directory, "director"), [job], withCounter(site), {
      ssh: { known_hosts_file: knownHostsFile },
    });
    await untilWatching(running.pid, directories + 1);
    return { pid: running.pid, changed: () => undefined, stop: () => running.stop() };
  },
};

export const lsyncd: WatchPeer = {
  name: "lsyncd",
  waitsMs,
  start: async (site, directories = 0) => {
    const config = join(site.directory, "lsyncd.lua");
    const text = (value: string) => JSON.stringify(value);
    await writeFile(
      config,
      `settings { nodaemon = true, logfile = ${text(join(site.directory, "lsyncd.log"))} }
sync {
  default.rsync, delay = ${waitsMs / 1000}, delete = false,
  source = ${text(`${site.source}/`)}, target = ${text(`${site.host.sshd.host}:${site.dest}/`)},
  rsync = { binary = ${text(join(site.bin, "rsync"))}, archive = true, rsh = ${text(site.rsh)} }
}
`,
    );
    const peer = startProcess(["lsyncd", config], site);
    await untilWatching(peer.pid, directories + 1);
    return { ...peer, changed: () => undefined };
  },
};

/** One `rsync -a` of everything, as soon as it is told that something has changed. */
export const bareRsync: WatchPeer = {
  name: "one bare rsync -a",
  waitsMs: 0,
  start: (site) => {
    const loop = 'while read -r _; do rsync -a -e "$0" "$1/" "$2/"; done';
    const peer = startProcess(["sh", "-c", loop, site.rsh, site.source, `${site.host.sshd.host}:${site.dest}`], site);
    return Promise.resolve({ ...peer, changed: () => peer.tell("\n") });
  },
};

/** What the scripts do that this program takes the place of. */
export const perFileScript: WatchPeer = {
  name: "one rsync per file",
  waitsMs,
  start: (site) => {
    const program = join(import.meta.dirname, "per-file-script.mjs");
    const to = [site.source, site.dest, site.host.sshd.host, site.rsh, String(waitsMs)];
    const peer = startProcess([process.execPath, program, ...to], site);
    return Promise.resolve({ ...peer, changed: (paths) => peer.tell(paths.map((path) => `${path}\n`).join("")) });
  },
};

function startProcess(
  [program, ...args]: readonly [string, ...string[]],
  site: WatchSite,
): Omit<RunningPeer, "changed"> & { tell: (text: string) => void } {
  // It must not live on, whatever becomes of the benchmark (PR_SET_PDEATHSIG).
  const child = spawn("setpriv", ["--pdeathsig", "TERM", program, ...args], {
    env: withCounter(site),
    stdio: ["pipe", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  return {
    pid: child.pid ?? 0,
    tell: (text) => void child.stdin.write(text),
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function withCounter(site: WatchSite): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${site.bin}:${process.env["PATH"]}` };
}

async function untilWatching(pid: number, watches: number): Promise<void> {
  for (const end = performance.now() + 120_000; performance.now() < end;) {
    if (watchCountOf(pid) >= watches) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`process ${pid} has ${watchCountOf(pid)} watches, not ${watches}`);
}
