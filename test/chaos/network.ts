import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { command, isRunning, kill } from "./commands.ts";

/** A network namespace that plays a host; files and process ids are shared with all others. */
export interface NetworkHost {
  readonly name: string;
  readonly address: string;
  readonly namespace: string;
  /** What becomes another command on that host when it is put before it. */
  readonly inside: readonly string[];
}

export interface Network {
  readonly hosts: readonly NetworkHost[];
  /** Drops packets: all between the two, or only those that `from` sends. Returns what ends it. */
  cut(from: NetworkHost, to: NetworkHost, how: "both" | "from"): Promise<() => Promise<void>>;
  /** Drops that share of the packets between the two, each by itself. Returns what ends it. */
  lose(one: NetworkHost, other: NetworkHost, share: number): Promise<() => Promise<void>>;
  /** Ends every process on all hosts and removes them. */
  close(): Promise<void>;
}

const prefix = "rdchaos";

/** Hosts on one switch, out of reach of everything else. Needs root, ip and iptables. */
export async function openNetwork(names: readonly string[]): Promise<Network> {
  await removeAbandoned();
  const own = `${prefix}${process.pid}x${randomBytes(2).toString("hex")}`;
  const hub = `${own}-hub`;
  const hosts = names.map((name, index): NetworkHost => {
    const namespace = `${own}-${name}`;
    const inside = ["ip", "netns", "exec", namespace, "unshare", "--uts", "sh", "-c"];
    return {
      name,
      address: `10.77.0.${index + 1}`,
      namespace,
      inside: [...inside, `hostname ${name}; exec "$@"`, name],
    };
  });
  try {
    await command(["ip", "netns", "add", hub]);
    await command(["ip", "-n", hub, "link", "add", "br0", "type", "bridge"]);
    await command(["ip", "-n", hub, "link", "set", "br0", "up"]);
    for (const host of hosts) await plugIn(host, hub);
  } catch (error) {
    await removeHosts(own);
    throw error;
  }
  return {
    hosts,
    cut: (from, to, how) => drop(from, to, { how }),
    lose: (one, other, share) =>
      drop(one, other, {
        how: "both",
        match: ["-m", "statistic", "--mode", "random", "--probability", share.toFixed(3)],
      }),
    close: () => removeHosts(own),
  };
}

/** What `to` is sent by `from` and, in both directions, what it sends there; all of it, or what matches. */
async function drop(
  from: NetworkHost,
  to: NetworkHost,
  { how, match = [] }: { how: "both" | "from"; match?: readonly string[] },
): Promise<() => Promise<void>> {
  const rules = [["INPUT", "-s", from.address], ...(how === "both" ? [["OUTPUT", "-d", from.address]] : [])];
  const change = async (flag: string) => {
    for (const [chain = "", ...end] of rules) {
      const rule = [chain, ...end, ...match, "-j", "DROP"];
      await command(["ip", "netns", "exec", to.namespace, "iptables", "-w", flag, ...rule]);
    }
  };
  await change("-A");
  return () => change("-D");
}

async function plugIn({ address, namespace, name }: NetworkHost, hub: string): Promise<void> {
  await command(["ip", "netns", "add", namespace]);
  const peer = ["type", "veth", "peer", "name", `to-${name}`, "netns", hub];
  await command(["ip", "link", "add", "name", "eth0", "netns", namespace, ...peer]);
  await command(["ip", "-n", hub, "link", "set", `to-${name}`, "master", "br0", "up"]);
  await command(["ip", "-n", namespace, "addr", "add", `${address}/24`, "dev", "eth0"]);
  await command(["ip", "-n", namespace, "link", "set", "eth0", "up"]);
  await command(["ip", "-n", namespace, "link", "set", "lo", "up"]);
}

/** A process of a host: enough to choose one as a victim. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

export function processesOn({ namespace }: { namespace: string }): HostProcess[] {
  const wanted = `net:[${statSync(`/run/netns/${namespace}`).ino}]`;
  return readdirSync("/proc").flatMap((entry): HostProcess[] => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      if (readlinkSync(`/proc/${entry}/ns/net`) !== wanted) return [];
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      const close = stat.lastIndexOf(")");
      const [state = "", parent = ""] = stat.slice(close + 2).split(" ");
      if ("ZX".includes(state)) return [];
      return [{ pid: Number(entry), parent: Number(parent), name: stat.slice(stat.indexOf("(") + 1, close) }];
    } catch {
      return [];
    }
  });
}

/** Hosts of a laboratory whose process was killed. */
async function removeAbandoned(): Promise<void> {
  const found = (await namespaces()).map((name) => new RegExp(`^(${prefix}(\\d+)x[0-9a-f]+)-`).exec(name));
  const owners = new Map(found.flatMap((match) => (match === null ? [] : [[match[1] ?? "", Number(match[2])]])));
  for (const [own, pid] of owners) if (!isRunning(pid)) await removeHosts(own);
}

async function namespaces(): Promise<string[]> {
  const listed = await command(["ip", "netns", "list"]);
  return listed.split("\n").map((line) => line.split(" ")[0] ?? "");
}

async function removeHosts(own: string): Promise<void> {
  for (const namespace of (await namespaces()).filter((name) => name.startsWith(`${own}-`))) {
    try {
      await endProcesses({ namespace });
      await command(["ip", "netns", "del", namespace]);
    } catch (error) {
      // Several laboratories that open at the same time find what was abandoned, and one of them is the first.
      if ((await namespaces()).includes(namespace)) throw error;
    }
  }
}

/** Kills everything on a host and waits until it is gone. */
export async function endProcesses(host: { namespace: string }): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    const left = processesOn(host);
    if (left.length === 0) return;
    for (const { pid } of left) kill(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`processes on ${host.namespace} cannot be ended`);
}
