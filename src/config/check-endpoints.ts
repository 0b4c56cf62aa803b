import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/** Options of the ssh client that have a key of their own, which locks and rsync both obey. */
const optionKeys: Readonly<Record<string, string>> = {
  hostname: "host",
  user: "user",
  port: "port",
  identityfile: "private_ssh_key",
  userknownhostsfile: "known_hosts_file",
  stricthostkeychecking: "host_key_policy",
  connecttimeout: "connect_timeout",
  batchmode: "nothing: nobody is there to answer questions",
};

const keyNames = ["private_ssh_key", "private_key_path", "identity_file"] as const;

/** Rules about how to reach hosts: at the top, in `defaults`, in jobs, lock files and blocks. */
export function checkEndpoints(root: Tree, log: ProblemLog): void {
  if (isRecord(root["ssh"])) {
    checkKeyNames(root["ssh"], ["ssh"], log);
    checkOptions(root["ssh"], ["ssh"], log);
    checkJumpHost(root["ssh"], ["ssh"], log);
  }
  const owners: [KeyPath, Tree][] = recordsOf(root["jobs"]).map(([index, job]) => [["jobs", index], job]);
  if (isRecord(root["defaults"])) owners.push([["defaults"], root["defaults"]]);
  for (const [path, owner] of owners) {
    checkKeyNames(owner, path, log);
    if (isRecord(owner["ssh"])) {
      checkOptions(owner["ssh"], [...path, "ssh"], log);
      checkJumpHost(owner["ssh"], [...path, "ssh"], log);
    }
    for (const key of ["lock_files", "blocks_on"]) {
      for (const [index, lock] of recordsOf(owner[key])) checkKeyNames(lock, [...path, key, index], log);
    }
  }
}

/** The three names of the key file are one key; two of them in one block contradict each other. */
function checkKeyNames(block: Tree, path: KeyPath, log: ProblemLog): void {
  const given = keyNames.filter((name) => block[name] !== undefined);
  const [first, second] = given;
  if (first !== undefined && second !== undefined) {
    log.error([...path, second], `means the same as ${first}, which is given too: keep one`, { at: "key" });
  }
}

/** `[user@]host[:port]`, an address in brackets, or the same as an `ssh://` address. */
const jumpHop = /^(ssh:\/\/)?([A-Za-z0-9_][\w.+-]*@)?([A-Za-z0-9_][\w.-]*|\[[0-9A-Fa-f:.]+(%[\w.-]+)?\])(:\d{1,5})?$/;

/** ssh puts the names into a command line for a shell, so nothing but a name may get there. */
function checkJumpHost(ssh: Tree, path: KeyPath, log: ProblemLog): void {
  const value = ssh["jump_host"];
  if (typeof value !== "string" || value === "none") return;
  const wrong = value.split(",").find((hop) => !jumpHop.test(hop));
  if (wrong !== undefined)
    log.error([...path, "jump_host"], `expected [user@]host[:port], or several with commas between, not "${wrong}"`);
}

function checkOptions(ssh: Tree, path: KeyPath, log: ProblemLog): void {
  const options = isRecord(ssh["options"]) ? ssh["options"] : {};
  for (const [name, value] of Object.entries(options)) {
    const where = [...path, "options", name];
    const key = Object.hasOwn(optionKeys, name.toLowerCase()) ? optionKeys[name.toLowerCase()] : undefined;
    if (key !== undefined) log.error(where, `cannot be set here: use ${key}`, { at: "key" });
    else if (typeof value === "string" && /[\u0000-\u001f\u007f]/.test(value))
      log.error(where, "contains a control character");
  }
}
