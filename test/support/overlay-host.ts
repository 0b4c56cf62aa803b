import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { findProgram } from "../../src/process/find-program.ts";
import { freePort } from "./sshd.ts";

/** A host with a root file system of its own: this machine's, over which everything is written that changes. */
export interface OverlayHost {
  readonly name: string;
  readonly port: number;
  readonly hostKey: string;
  /** A path of the host, as it is reached from here. */
  path(path: string): string;
  stop(): Promise<void>;
}

/** Why there can be none here; undefined: there can. */
export function whyNoOverlayHosts(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may mount";
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const missing = ["unshare", "mount", "sshd", "ssh-keygen", "ssh-keyscan", "runuser", "npm", "rsync"].filter(
    (tool) => findProgram(tool, path) === undefined,
  );
  return missing.length === 0 ? undefined : `not installed here: ${missing.join(", ")}`;
}

/** The mounts are in a namespace of the sshd's, and go with it. */
const startScript = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount --rbind /proc "$1/root/proc"
root=$1/root
rm -rf "$root/root/.ssh" "$root/var/lib/rsyncdirector" "$root/etc/rsyncdirector" "$root/etc/ssh/ssh_config.d" "$root/run/systemd"
mkdir -p "$root/run/sshd" "$root/run/rsyncdirector" "$root/etc/test-sshd"
mkdir -m 700 "$root/root/.ssh"
cp "$2/host_key" "$2/sshd_config" "$root/etc/test-sshd/"
chmod 600 "$root/etc/test-sshd/host_key"
cp "$2/operator.pub" "$root/root/.ssh/authorized_keys"
hostname "$3"
exec chroot "$root" /usr/sbin/sshd -D -e -f /etc/test-sshd/sshd_config`;

/** `operatorKey`: the public key that may log in as root. `networkOf`: a process in whose network it is. */
export async function startOverlayHost(
  name: string,
  operatorKey: string,
  { networkOf }: { networkOf?: number } = {},
): Promise<OverlayHost> {
  const directory = await mkdtemp(join(tmpdir(), `rsyncdirector-host-${name}-`));
  const [files, mounted] = [join(directory, "files"), join(directory, "mounted")];
  await mkdir(files);
  await mkdir(mounted);
  const port = await freePort();
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(files, "host_key")]);
  await writeFile(join(files, "operator.pub"), operatorKey);
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    "HostKey /etc/test-sshd/host_key",
    "PidFile none",
    "UsePAM no",
    "PasswordAuthentication no",
    "MaxStartups 200:30:400",
    "PrintMotd no",
    "Subsystem sftp internal-sftp",
  ];
  await writeFile(join(files, "sshd_config"), `${config.join("\n")}\n`);
  const apart = ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", startScript, "sh"];
  const inside = networkOf === undefined ? [] : ["nsenter", "-t", String(networkOf), "-n", "--"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...inside, ...apart, mounted, files, name], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("Server listening on")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}:\n${log}`)));
  });
  return {
    name,
    port,
    hostKey: (await readFile(join(files, "host_key.pub"), "utf8")).split(" ").slice(0, 2).join(" "),
    path: (path) => `/proc/${child.pid}/root${path}`,
    stop: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
