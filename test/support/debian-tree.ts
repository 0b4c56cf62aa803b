import { createHash } from "node:crypto";
import { lstat, mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { findProgram } from "../../src/process/find-program.ts";

const path = `${process.env["PATH"]}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Why no Debian can be made here, or undefined. */
export function whyNoDebian(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can make a root file system";
  const wanted = ["debootstrap", "apt-get", "flock", "unshare", "mount", "tar"];
  const missing = wanted.filter((name) => findProgram(name, path) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/** Puts a bare Debian of this host's release, and `packages` besides, into a directory, which is made. */
export async function unpackDebian(root: string, packages: readonly string[] = []): Promise<void> {
  const tarball = await debianTarball(packages);
  await mkdir(root);
  await execa("tar", ["-C", root, "-xf", tarball]);
}

/**
 * The same in a file. To make it takes a minute, so that it is made once a day and machine: it is left in the system's
 * temporary directory, and whoever asks while another test makes it waits for that.
 */
export async function debianTarball(packages: readonly string[] = []): Promise<string> {
  const { mirror, suite } = await findMirror();
  const directory = await ownDirectory();
  const bare = join(directory, `${suite}-bare.tar`);
  await makeOnce(bare, bareScript, [suite, mirror]);
  const wanted = [...new Set(packages)].toSorted();
  if (wanted.length === 0) return bare;
  const digest = createHash("sha256").update(wanted.join(" ")).digest("hex").slice(0, 12);
  const tarball = join(directory, `${suite}-${digest}.tar`);
  await makeOnce(tarball, packagesScript, [bare, ...wanted]);
  return tarball;
}

/** The script fills the directory `$tree`, which is in memory; nothing in there need survive a crash of this machine. */
async function makeOnce(tarball: string, script: string, words: readonly string[]): Promise<void> {
  const whole = `set -eu
umask 022
tarball=$1
shift
test -z "$(find "$tarball" -mmin -1440 2>/dev/null)" || exit 0
tree=$tarball.tree
mkdir -p "$tree"
mount -t tmpfs tmpfs "$tree"
mkdir -p "$tree/etc/dpkg/dpkg.cfg.d"
echo force-unsafe-io > "$tree/etc/dpkg/dpkg.cfg.d/test"
${script}
rm -rf "$tree/var/cache/apt/archives/"*.deb "$tree/etc/dpkg/dpkg.cfg.d/test"
tar -C "$tree" --one-file-system --numeric-owner -cf "$tarball.new" .
mv "$tarball.new" "$tarball"`;
  const apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", whole, "sh"];
  // The kernel frees this lock when its holder is gone, in whatever way.
  const made = await execa("flock", [`${tarball}.lock`, ...apart, tarball, ...words], {
    ...{ reject: false, all: true, stdin: "ignore", env: { PATH: path, LC_ALL: "C.UTF-8" } },
  });
  if (made.exitCode !== 0) throw new Error(`${tarball} cannot be made: ${made.all.slice(-2000)}`);
}

const bareScript = `debootstrap --variant=minbase "$1" "$tree" "$2"`;

/** Not by debootstrap: it runs no triggers, without which some packages cannot be configured. */
const packagesScript = `tar -C "$tree" -xf "$1"
shift
mount -t proc proc "$tree/proc"
printf '#!/bin/sh\\nexit 101\\n' > "$tree/usr/sbin/policy-rc.d"
chmod 755 "$tree/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$tree" apt-get -q update
chroot "$tree" apt-get -q -y install --no-install-recommends -- "$@"
rm "$tree/usr/sbin/policy-rc.d"`;

/** Where tests leave what takes long to make. Nobody else may put anything into it: root unpacks and runs it. */
export async function ownDirectory(): Promise<string> {
  const directory = join(tmpdir(), "rsyncdirector-test-debian");
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { uid, mode } = await lstat(directory).then((stat) => ({ uid: stat.uid, mode: stat.mode }));
  if (uid !== process.getuid?.() || (mode & 0o170077) !== 0o040000) throw new Error(`${directory} is somebody else's`);
  return directory;
}

/** Where apt of this host takes its packages from, and for which release. */
async function findMirror(): Promise<{ mirror: string; suite: string }> {
  const release = await readFile("/etc/os-release", "utf8");
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
  const { stdout } = await execa("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const lines = stdout.split("\n").map((line) => line.split(" "));
  const mirror = lines.find(([codename, component]) => codename === suite && component === "main")?.[2];
  if (suite === undefined || mirror === undefined) throw new Error(`apt knows no mirror of ${suite}: ${stdout}`);
  return { mirror, suite };
}
