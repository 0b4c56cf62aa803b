import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Key pairs of the directors and the hosts, and who knows and lets in whom. */
export function makeKeys(directory: string): void {
  const path = (name: string) => join(directory, name);
  for (const name of ["laptop01", "backup01", "backup01.host", "backup-remote.host"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path(name)]);
  execFileSync("chown", ["rsyncdirector:", path("laptop01"), path("backup01")]);
  const known = ["backup01", "backup-remote"].map(
    (host) => `${host} ${readFileSync(path(`${host}.host.pub`), "utf8")}`,
  );
  writeFileSync(path("known_hosts"), known.join(""));
  copyFileSync(path("laptop01.pub"), path("backup01.authorized"));
  copyFileSync(path("backup01.pub"), path("backup-remote.authorized"));
}
