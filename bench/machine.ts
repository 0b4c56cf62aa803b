import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** What the figures depend on; never the machine's name. */
export function describeMachine(): Record<string, string | number> {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    kernel: release(),
    node: process.versions.node,
    rsync: versionOf("rsync"),
    lsyncd: versionOf("lsyncd"),
    loadAtStart: Number(loadavg()[0]?.toFixed(2)),
  };
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return /version:? (\S+)/i.exec(stdout ?? "")?.[1] ?? "unknown";
}
