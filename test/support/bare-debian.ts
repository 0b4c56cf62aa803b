import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { unpackDebian } from "./debian-tree.ts";
import { projectFiles, projectRoot } from "./project-files.ts";

/** A Debian with nothing but systemd and Node, and a fresh clone of this repository in /root/rsyncdirector. */
export interface BareDebian {
  /** Where it lies: the tree in `root`, which can be booted from here. */
  readonly scratch: string;
  readonly root: string;
  /** Runs a command line in the clone, in the network of this host. Rejects when it fails. */
  run(command: string): Promise<string>;
  remove(): Promise<void>;
}

const clone = "/root/rsyncdirector";

/** What the smallest Debian lacks, and every machine that boots has. */
const toBoot = ["systemd", "systemd-sysv", "dbus"];

export async function makeBareDebian(): Promise<BareDebian> {
  const scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-bare-"));
  const root = join(scratch, "root");
  const debian: BareDebian = {
    ...{ scratch, root },
    run: (command) => runInside(root, command),
    remove: () => rm(scratch, { recursive: true, force: true }),
  };
  try {
    await unpackDebian(root);
    await copyPackageSettings(root);
    await copyNode(root);
    for (const path of projectFiles()) await cp(join(projectRoot, path), join(root, clone, path));
    // Nobody is there to start services, as in any container without a process 1 of its own.
    await writeFile(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    await debian.run(`cd / && apt-get update -q && apt-get install -q --no-install-recommends ${toBoot.join(" ")}`);
  } catch (error) {
    await debian.remove();
    throw error;
  }
  return debian;
}

async function runInside(root: string, command: string): Promise<string> {
  const how = ["--quiet", "--register=no", "--keep-unit", "--pipe", "--as-pid2", `--machine=bare-${process.pid}`];
  const network = ["--resolv-conf=copy-host", "--bind-ro=/etc/hosts", `--chdir=${clone}`];
  const env = Object.entries(settingsInEnvironment()).map(([name, value]) => `--setenv=${name}=${value}`);
  const { exitCode, all } = await execa(
    "systemd-nspawn",
    [...how, ...network, ...env, `--directory=${root}`, "/bin/sh", "-euc", command],
    { reject: false, all: true, stdin: "ignore", env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } },
  );
  if (exitCode !== 0) throw new Error(`${command}\nended with ${exitCode}: ${all}`);
  // With neither colours nor what systemd-nspawn says of its own business.
  return stripVTControlCharacters(all).replace(/^Attempted to remove disk file system .*$/m, "");
}

/** How npm and apt get their packages is the business of this host; the tree gets the same settings. */
async function copyPackageSettings(root: string): Promise<void> {
  const { stdout: acquire } = await execa("apt-config", ["dump"]);
  const lines = acquire.split("\n").filter((line) => /^Acquire::https?::/i.test(line) && !line.endsWith('"";'));
  // A person at the keyboard says yes.
  await put(root, "/etc/apt/apt.conf.d/90host", [...lines, 'APT::Get::Assume-Yes "true";', ""].join("\n"));
  for (const path of ["/etc/apt/auth.conf", "/etc/apt/auth.conf.d", "/etc/ssl/certs/ca-certificates.crt"]) {
    if (existsSync(path)) await cp(await realpath(path), join(root, path), { recursive: true });
  }
  const npmFiles = { globalconfig: "/usr/local/etc/npmrc", userconfig: "/root/.npmrc" };
  for (const [setting, path] of Object.entries(npmFiles)) {
    const { stdout: file } = await execa("npm", ["config", "get", setting], { cwd: homedir() });
    if (existsSync(file)) await cp(file, join(root, path));
  }
}

function settingsInEnvironment(): Record<string, string> {
  const needed = /^(npm_config_(registry|cafile|.*proxy)|(https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i;
  const handedDown = Object.entries(process.env).filter(([name]) => needed.test(name)) as [string, string][];
  return { ...Object.fromEntries(handedDown), LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
}

/** The Node that runs the tests, with its npm: what the README takes for granted. */
async function copyNode(root: string): Promise<void> {
  await mkdir(join(root, "usr/local/bin"), { recursive: true });
  await cp(process.execPath, join(root, "usr/local/bin/node"));
  await chmod(join(root, "usr/local/bin/node"), 0o755);
  const { stdout: npm } = await execa("sh", ["-c", 'realpath "$(command -v npm)"']);
  const program = dirname(dirname(npm));
  await cp(program, join(root, "usr/local/lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  for (const name of ["npm", "npx"])
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
}

async function put(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
