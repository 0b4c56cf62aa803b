import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** What the figures depend on, in one line; never the machine's name. */
export function describeMachine(): string {
  const parts = [
    cpus()[0]?.model.trim() ?? "unknown processor",
    `${availableParallelism()} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown system",
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    `rsync ${versionOf(["rsync", "--version"])}`,
    `OpenSSH ${versionOf(["ssh", "-V"])}`,
    `lsyncd ${versionOf(["lsyncd", "--version"])}`,
    `fpart ${versionOf(["fpart", "-V"])}`,
  ];
  return parts.join(" · ");
}

function versionOf([program, ...args]: readonly [string, ...string[]]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return /(?:version:? |OpenSSH_|fpart v)([\w.]+)/i.exec(`${stdout ?? ""}${stderr ?? ""}`)?.[1] ?? "unknown";
}

/** The state of the sources that are measured. */
export function describeCommit(root: string): string {
  const git = (...args: string[]) => spawnSync("git", args, { cwd: root, encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "--short=10", "HEAD");
  if (status !== 0) return "unknown";
  // What the benchmark itself writes changes nothing that it measures.
  const changed = git("status", "--porcelain", "--", ".", ":!bench/results", ":!docs");
  return `${stdout.trim()}${changed.stdout.trim() === "" ? "" : ", with changes that are not committed"}`;
}

export function loadNow(): number {
  return Number(loadavg()[0]?.toFixed(2));
}

/** How much of all processors somebody used during one second in which the benchmark waits; in per cent. */
export async function measureOthers(): Promise<number> {
  const before = processorTimes();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const after = processorTimes();
  return Math.round((100 * (after.busy - before.busy)) / (after.all - before.all || 1));
}

function processorTimes(): { busy: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.flatMap((of) => Object.values(of)).reduce((sum, ms) => sum + ms, 0);
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) };
}
