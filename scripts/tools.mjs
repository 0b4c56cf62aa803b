import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The Debian package of every outside program that the scripts and tests use. */
export const packageOfTool = {
  rsync: "rsync",
  sshd: "openssh-server",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  flock: "util-linux",
  setpriv: "util-linux",
  setsid: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  umount: "mount",
  ps: "procps",
  ip: "iproute2",
  nft: "nftables",
  iptables: "iptables",
  strace: "strace",
  git: "git",
  faketime: "faketime",
  logrotate: "logrotate",
  diff: "diffutils",
  patch: "patch",
  // Login shells that are nobody's /bin/sh.
  tcsh: "tcsh",
  fish: "fish",
  zsh: "zsh",
  busybox: "busybox",
  openssl: "openssl",
  lsyncd: "lsyncd",
  fpsync: "fpart",
  shellcheck: "shellcheck",
  "systemd-analyze": "systemd",
  "systemd-notify": "systemd",
  "systemd-nspawn": "systemd-container",
  debootstrap: "debootstrap",
  // A client of Docker's alone may be there already.
  dockerd: "docker.io",
  "docker-compose": "docker-compose",
  "dpkg-deb": "dpkg",
  lintian: "lintian",
  spin: "spin",
  csync2: "csync2",
  prometheus: "prometheus",
  promtool: "prometheus",
  "prometheus-alertmanager": "prometheus-alertmanager",
  chromium: "chromium",
  tmux: "tmux",
  // gcc alone brings no headers of the C library.
  gcc: "build-essential",
};

/** The services that Debian starts when it installs a tool. */
export const serviceOfTool = {
  sshd: "ssh",
  dockerd: "docker containerd",
  prometheus: "prometheus",
  "prometheus-alertmanager": "prometheus-alertmanager",
};

/** What a test or the demo needs to move real files between real hosts. */
export const hostTools = ["rsync", "sshd", "ssh", "ssh-keygen", "flock", "setpriv", "ps"];

/** What several hosts in network namespaces need besides. */
export const labTools = ["ip", "iptables", "mount", "umount", "unshare"];

/** What the benchmark measures beside the program. */
export const peerTools = ["lsyncd", "fpsync"];

/** The full path of a program, or undefined. sshd lives where an ordinary user's PATH does not look. */
export function findTool(name) {
  const path = `${process.env.PATH ?? ""}${delimiter}/usr/local/sbin:/usr/sbin:/sbin`;
  return path
    .split(delimiter)
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, name))
    .find(isProgram);
}

export function missingTools(names) {
  return names.filter((name) => findTool(name) === undefined);
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
