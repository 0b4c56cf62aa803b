import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostClock, removeLeftClocks, whyNoHostClock } from "../support/host-clock.ts";
import { projectRoot } from "../support/project-files.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { bootTime, command, isRunning } from "./commands.ts";
import type { LabEvent, Setup } from "./history.ts";
import { endProcesses, type Network, type NetworkHost, openNetwork } from "./network.ts";
import { watchWitnesses, type WitnessMonitor } from "./witness.ts";

export interface LabHost extends NetworkHost {
  /** Its own directory: `locks` is a small file system of its own, `hold` and `data` are not. */
  path(...parts: string[]): string;
  readonly sshd: TestSshd;
  /** So many seconds from the true time, for all that its sshd starts; undefined: it has no clock of its own. */
  readonly setClock: ((seconds: number) => Promise<void>) | undefined;
}

type WithoutTime<Event> = Event extends unknown ? Omit<Event, "t"> : never;
export type LabEventDraft = WithoutTime<LabEvent>;

/** Several hosts, a copy of the program, and a directory that the whole history goes to. */
export interface Lab {
  readonly root: string;
  readonly program: string;
  readonly knownHosts: string;
  readonly network: Network;
  readonly witness: WitnessMonitor;
  host(name: string): LabHost;
  note(event: LabEventDraft): void;
  writeSetup(setup: Setup): void;
  /** Everything on the host ends, its lock files vanish, and its sshd starts again. */
  reboot(name: string): Promise<void>;
  /** Ends and removes everything but the history. */
  close(): Promise<void>;
}

/** File systems of a laboratory are called so, with the id of its process. */
const mountName = "rsyncdirector-chaos-";

/** Two hosts of one laboratory at the same port would not be told apart in one file of host keys. */
const sshPort = 2222;

/**
 * `aliveSeconds`: sshd asks a silent client so often whether it is there. It takes OpenSSH 9.2 eight times as
 * long, not three, to end a session whose network was cut in mid-transfer, and rsync's other half with it.
 * `clockHost` has a clock of its own where libfaketime is installed.
 */
export async function openLab(
  hostNames: readonly string[],
  { aliveSeconds = 5, clockHost }: { aliveSeconds?: number; clockHost?: string } = {},
): Promise<Lab> {
  await unmountAbandoned();
  const root = await mkdtemp(join(tmpdir(), "rsyncdirector-chaos-"));
  const mounted: string[] = [];
  const hosts = new Map<string, Pick<LabHost, "sshd" | "setClock"> & { host: NetworkHost }>();
  for (const name of ["records", "alive", "alive-too", "gone"]) mkdirSync(join(root, name));
  const program = copyProgram(root);
  const network = await openNetwork(hostNames);
  const witness = watchWitnesses(root);
  const directory = (name: string, ...parts: string[]) => join(root, "hosts", name, ...parts);
  const boot = async (host: NetworkHost, keys?: string) => {
    const clock = host.name === clockHost && whyNoHostClock === undefined ? await ownClock(host.name) : undefined;
    const environment = clock === undefined ? [] : [`SetEnv ${clock.words.join(" ")}`];
    const config = [`ClientAliveInterval ${aliveSeconds}`, "ClientAliveCountMax 3", "UseDNS no", ...environment];
    const { address, inside } = host;
    const options = { config, address, inside, port: sshPort, ...(keys === undefined ? {} : { directory: keys }) };
    hosts.set(host.name, { host, sshd: await startSshd(options), setClock: clock?.set });
  };
  const ownClock = (name: string) => {
    mkdirSync(directory(name, "home"), { recursive: true });
    return createHostClock(directory(name, "home"));
  };
  const close = async () => {
    await network.close();
    await witness.close();
    for (const { sshd } of hosts.values()) await sshd.stop();
    await removeLeftClocks();
    for (const mount of mounted) await command(["umount", "-l", mount]);
    for (const name of ["program", "hosts", "alive", "alive-too", "gone", "witness", "known_hosts"]) {
      await rm(join(root, name), { recursive: true, force: true });
    }
    for (const { sshd } of hosts.values()) await rm(sshd.directory, { recursive: true, force: true });
  };
  const entryOf = (name: string) => {
    const entry = hosts.get(name);
    if (entry === undefined) throw new Error(`no host ${name}`);
    return entry;
  };
  const note = (event: LabEventDraft) =>
    appendFileSync(join(root, "events.jsonl"), `${JSON.stringify({ t: bootTime(), ...event })}\n`);

  try {
    for (const host of network.hosts) {
      for (const part of ["locks", "hold", "data"]) mkdirSync(directory(host.name, part), { recursive: true });
      const locks = directory(host.name, "locks");
      await command(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", `${mountName}${process.pid}`, locks]);
      mounted.push(locks);
      await boot(host);
    }
    const keys = [...hosts.values()].map(({ sshd }) => readFileSync(sshd.knownHostsFile, "utf8"));
    writeFileSync(join(root, "known_hosts"), keys.join(""));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    root,
    program,
    knownHosts: join(root, "known_hosts"),
    network,
    witness,
    host: (name) => {
      const { host, sshd, setClock } = entryOf(name);
      return { ...host, sshd, setClock, path: (...parts) => directory(name, ...parts) };
    },
    note,
    writeSetup: (setup) => writeFileSync(join(root, "setup.json"), JSON.stringify(setup, null, 2)),
    reboot: async (name) => {
      const { host, sshd } = entryOf(name);
      await endProcesses(host);
      for (const part of ["locks", "hold"]) {
        note({ kind: "wiped", directory: directory(name, part) });
        for (const file of readdirSync(directory(name, part))) await rm(directory(name, part, file));
      }
      await boot(host, sshd.directory);
    },
    close,
  };
}

/** What a laboratory whose process was killed has left mounted. */
async function unmountAbandoned(): Promise<void> {
  const mounts = () => readFileSync("/proc/mounts", "utf8").split("\n");
  for (const line of mounts()) {
    const [device = "", place = ""] = line.split(" ");
    const pid = device.startsWith(mountName) ? Number(device.slice(mountName.length)) : NaN;
    if (!(pid > 0) || isRunning(pid)) continue;
    await command(["umount", "-l", place]).catch((error: unknown) => {
      // Of laboratories that open at the same time another was the first.
      if (mounts().includes(line)) throw error;
    });
  }
}

/** Another build while it runs would take the program away from under it. */
function copyProgram(root: string): string {
  const directory = join(root, "program");
  mkdirSync(directory);
  for (const name of ["dist", "resources", "package.json"]) {
    cpSync(join(projectRoot, name), join(directory, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, "node_modules"), join(directory, "node_modules"));
  return join(directory, "dist", "main.js");
}
