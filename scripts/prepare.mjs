// Makes a fresh clone ready: packages from npm, and the programs named as arguments from Debian.
// It runs before anything is installed, so it uses nothing but Node itself.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { hostTools, labTools, missingTools, packageOfTool, peerTools, serviceOfTool } from "./tools.mjs";

const root = join(import.meta.dirname, "..");

requireNode();
installPackages();
const groups = { hosts: hostTools, lab: labTools, peers: peerTools };
installTools(process.argv.slice(2).flatMap((name) => groups[name] ?? [name]));

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`prepare: Node ${process.versions.node} is too old: 20.19 or newer is needed`);
  process.exit(1);
}

function installPackages() {
  if (packagesAreCurrent()) return;
  console.log("prepare: installing the npm packages of package-lock.json (npm ci)");
  // No dependency needs its install script: those only compile optional speed-ups.
  const result = run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root });
  if (result.status === 0) return;
  console.error(`${result.output}\nprepare: npm ci failed (see above)`);
  process.exit(1);
}

function packagesAreCurrent() {
  const installed = join(root, "node_modules", ".package-lock.json");
  // `npm ci --omit=dev` leaves a tree that runs the product but cannot build or test it.
  if (!existsSync(installed) || !existsSync(join(root, "node_modules", "typescript"))) return false;
  return statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

function installTools(names) {
  const missing = missingTools(names);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => packageOfTool[name]))];
  const apt = aptGet();
  if (apt.command === undefined) {
    console.log(`prepare: ${missing.join(", ")} missing and not installed: ${apt.why}`);
    return;
  }
  console.log(`prepare: installing ${packages.join(", ")} (${apt.command.join(" ")} install)`);
  const [file, ...before] = apt.command;
  const wait = ["-o", "DPkg::Lock::Timeout=120"];
  const update = run(file, [...before, ...wait, "update", "-q"]);
  const install = run(file, [...before, ...wait, "install", "-q", "-y", "--no-install-recommends", ...packages]);
  const stillMissing = missingTools(names);
  if (stillMissing.length > 0) {
    console.log(
      `${update.output}${install.output}prepare: ${stillMissing.join(", ")} could not be installed (see above)`,
    );
  } else if (existsSync("/run/systemd/system")) {
    const started = missing.flatMap((name) => serviceOfTool[name] ?? []).join(" ");
    if (started === "") return;
    console.log(`prepare: Debian has started services of its own; \`systemctl disable --now ${started}\` stops them`);
  }
}

/** How this user may install Debian packages, or why not. */
function aptGet() {
  if (run("apt-get", ["--version"]).status !== 0) return { why: "there is no apt-get here" };
  const install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  if (process.getuid() === 0) return { command: install };
  if (run("sudo", ["-n", "true"]).status === 0) return { command: ["sudo", "-n", ...install] };
  return { why: "neither root nor sudo without a password" };
}

function run(file, args, options = {}) {
  const result = spawnSync(file, args, { ...options, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return { status: result.status, output: `${result.stdout ?? ""}${result.stderr ?? result.error?.message ?? ""}` };
}
