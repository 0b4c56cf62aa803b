import { execFileSync } from "node:child_process";
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
    rsync: /version (\S+)/.exec(execFileSync("rsync", ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown",
    loadAtStart: Number(loadavg()[0]?.toFixed(2)),
  };
}
