import { findProgram } from "../../src/process/find-program.ts";

const needed = ["rsync", "ssh", "sshd", "flock", "setpriv", "unshare", "ip", "iptables", "mount", "bash"];

/** Why hosts in network namespaces cannot be made here; undefined: they can. */
export function whyNoLab(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may make network namespaces";
  const path = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  const missing = needed.filter((name) => findProgram(name, path) === undefined);
  return missing.length === 0 ? undefined : `not installed here: ${missing.join(", ")}`;
}
