import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ActionDeps } from "../../src/action/action-kind.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Csync2Action } from "../../src/config/resolved.ts";
import { findProgram } from "../../src/process/find-program.ts";
import { command } from "../chaos/commands.ts";
import { endProcesses, openNetwork } from "../chaos/network.ts";
import { whyNoLab } from "../chaos/why-no-lab.ts";

const names = ["alpha", "beta", "gamma"] as const;
export type ClusterHost = (typeof names)[number];

/** Three hosts with a csync2 each, and what an action on alpha needs. */
export interface Csync2TestCluster {
  /** Where the synchronised directory is on every host, as that host sees it. */
  readonly path: string;
  /** The same directory of one host, as the test sees it. */
  data(host: ClusterHost, ...parts: string[]): string;
  /** Runs csync2 on a host by hand; returns what it printed, whatever its exit code. */
  csync2(host: ClusterHost, ...words: string[]): Promise<string>;
  start(host: ClusterHost): Promise<void>;
  stop(host: ClusterHost): Promise<void>;
  /** What runs a command on a host when it is put before it: in its network, with its files and names. */
  inside(host: ClusterHost): readonly string[];
  /** The address of a host. */
  address(host: ClusterHost): string;
  /** csync2's configuration of a host, under the name that csync2 looks for when it is given none. */
  configFile(host: ClusterHost): string;
  /** The directory of csync2's databases of a host. */
  databases(host: ClusterHost): string;
  /** From now on the host drops what alpha sends. */
  cutOff(host: ClusterHost): Promise<() => Promise<void>>;
  /** Every call of csync2 and rsync that alpha's action made, in order. */
  calls(): Promise<string[]>;
  /** Has a host call csync2, once for each list of words, right before each call of the action with these characters in it. */
  runBefore(options: { host: ClusterHost; calls: readonly (readonly string[])[]; callsWith: string }): Promise<void>;
  readonly action: Csync2Action;
  readonly deps: ActionDeps;
}

/** csync2 lies where an ordinary user's PATH does not look. */
const searched = `${process.env["PATH"] ?? ""}:/usr/sbin`;

/** Why there can be no cluster here; undefined: there can. */
export function whyNoCluster(): string | undefined {
  const lab = whyNoLab();
  if (lab !== undefined) return lab;
  return findProgram("csync2", searched) === undefined ? "csync2 is not installed here" : undefined;
}

export async function openCluster(): Promise<Csync2TestCluster> {
  const root = await mkdtemp(join(tmpdir(), "rsyncdirector-csync2-"));
  const network = await openNetwork(names);
  onTestFinished(async () => {
    await network.close();
    await rm(root, { recursive: true, force: true });
  });
  const shared = join(root, "data");
  const bin = join(root, "bin");
  // The action runs in the test's own process, which is alpha's as far as files go.
  const dataOf = (host: ClusterHost) => (host === "alpha" ? shared : join(root, host, "data"));
  for (const directory of [
    shared,
    bin,
    ...names.flatMap((name) => ["etc", "db", "data"].map((part) => join(root, name, part))),
  ]) {
    await mkdir(directory, { recursive: true });
  }
  await command(["csync2", "-k", join(root, "key")]);
  await writeFile(join(root, "hosts"), network.hosts.map(({ address, name }) => `${address} ${name}\n`).join(""));
  const configuration = `nossl * *;\ngroup web {\n  host ${names.join(" ")};\n  key ${join(root, "key")};\n  include ${shared};\n  exclude *.tmp;\n}\n`;
  const daemons = new Map<ClusterHost, ChildProcess>();
  const hostOf = (name: ClusterHost) => network.hosts.find((host) => host.name === name)!;
  /** What runs a command on a host, with its own data where all hosts have them. */
  const on = (name: ClusterHost): string[] => [
    ...hostOf(name).inside,
    ...["unshare", "--mount", "sh", "-c"],
    `mount --bind ${root}/hosts /etc/hosts && mount --bind ${dataOf(name)} ${shared} && export CSYNC2_SYSTEM_DIR=${root}/${name}/etc && exec "$@"`,
    name,
  ];
  const csync2On = (host: ClusterHost, words: readonly string[]) => [
    ...on(host),
    // Not the one that writes down the calls of the action.
    ...[findProgram("csync2", searched)!, "-C", "web", "-N", host, "-D", join(root, host, "db"), ...words],
  ];
  const write = async (file: string, lines: readonly string[]) => {
    await writeFile(file, ["#!/bin/sh", ...lines, ""].join("\n"));
    await chmod(file, 0o755);
  };
  const quoted = (words: readonly string[]) => words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const log = join(root, "calls");
  await writeFile(log, "");
  for (const program of ["csync2", "rsync"]) {
    await write(join(bin, program), [
      `echo "${program} $*" >> ${log}`,
      `[ ! -x ${join(root, "before")} ] || ${join(root, "before")} "$*"`,
      `exec ${quoted(on("alpha"))} ${findProgram(program, searched)} "$@"`,
    ]);
  }
  // rsync's remote shell: it goes to the host that is named, as ssh would.
  await write(join(bin, "peer-shell"), [
    "host=$1",
    "shift",
    "case $host in",
    ...names.map((name) => `${name}) exec ${quoted(on(name))} env PATH=${searched} sh -c "$*" ;;`),
    "esac",
  ]);
  for (const name of names) {
    for (const file of ["csync2.cfg", "csync2_web.cfg"]) await writeFile(join(root, name, "etc", file), configuration);
  }

  const start = async (name: ClusterHost) => {
    const [program = "", ...args] = [...on(name), ...["csync2", "-ii", "-v", "-N", name, "-D", join(root, name, "db")]];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    daemons.set(name, child);
    let said = "";
    // Read to its end: csync2 would die of a log that nobody reads.
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on("data", (chunk) => {
        said += String(chunk);
        if (said.includes("Listening on")) resolve();
      });
      child.once("exit", () => reject(new Error(`csync2 of ${name} does not listen: ${said}`)));
    });
  };
  for (const name of names) await start(name);

  return {
    path: shared,
    data: (host, ...parts) => join(dataOf(host), ...parts),
    csync2: async (host, ...words) => {
      const [program = "", ...args] = csync2On(host, words);
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      child.stdout.on("data", (chunk) => (said += String(chunk)));
      child.stderr.on("data", (chunk) => (said += String(chunk)));
      await once(child, "close");
      return said;
    },
    start,
    inside: on,
    address: (host) => hostOf(host).address,
    configFile: (host) => join(root, host, "etc", "csync2.cfg"),
    databases: (host) => join(root, host, "db"),
    stop: async (host) => {
      const child = daemons.get(host);
      await endProcesses(hostOf(host));
      if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    cutOff: (host) => network.cut(hostOf("alpha"), hostOf(host), "from"),
    runBefore: ({ host, calls, callsWith }) =>
      write(join(root, "before"), [
        `case $1 in *${callsWith}*) ;; *) exit ;; esac`,
        ...calls.map((words) => `${quoted(csync2On(host, words))} >/dev/null 2>&1`),
      ]),
    calls: async () => (await readFile(log, "utf8")).trim().split("\n"),
    action: {
      ...{ kind: "csync2", id: "web", systemDir: join(root, "alpha", "etc"), config: "web", hostname: "alpha" },
      ...{ paths: [shared], peers: [], parallelUpdates: 1, rsyncThreshold: undefined, resetAfter: undefined },
      ...{ opts: ["-D", join(root, "alpha", "db")], mode: "update" },
      ssh: {
        ...{ user: undefined, port: undefined, identityFile: undefined, knownHostsFile: undefined },
        ...{ hostKeyPolicy: "strict", connectTimeoutMs: 60_000, jumpHost: undefined, transport: "auto", options: {} },
      },
    },
    deps: {
      remoteShell: async () => ({ shell: [join(bin, "peer-shell")] }),
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      clock: systemClock,
    },
  };
}
