import { statSync } from "node:fs";
import { systemErrorCode } from "../base/errors.ts";
import { quoteWord } from "../base/shell-words.ts";
import type { ConfigProblem, KeyPath } from "./problem.ts";
import type { Config, LockFile, SshEndpoint } from "./resolved.ts";

type Find = (where: KeyPath) => Omit<ConfigProblem, "message">;

/** A file that the configuration names and that is not there (yet). */
export interface MissingFile extends ConfigProblem {
  readonly remedy: string;
}

/**
 * Key files and lists of host keys that do not exist on this host, each once. They may be made later, and so
 * nothing is refused for it.
 */
export function findMissingFiles(
  config: Config,
  find: Find,
  exists: (path: string) => boolean = isThere,
): MissingFile[] {
  const missing = new Map<string, MissingFile>();
  const look = (endpoint: SshEndpoint, owners: readonly KeyPath[]) => {
    const { identityFile, knownHostsFile, hostKeyPolicy, host } = endpoint;
    const report = (file: string, keys: readonly KeyPath[], about: { message: string; remedy: string }) => {
      if (missing.has(file) || file.includes("%") || exists(file)) return;
      missing.set(file, { ...findWritten(keys, find), ...about });
    };
    if (identityFile !== undefined) {
      const file = quoteWord(identityFile);
      const keys = owners.map((owner) => [...owner, "private_ssh_key"]);
      report(identityFile, keys, {
        message: `${identityFile} does not exist (yet): nobody can log in to ${host} with it`,
        remedy: `ssh-keygen -t ed25519 -N '' -f ${file} && ssh-copy-id -i ${file}.pub ${accountOf(endpoint)}`,
      });
    }
    if (knownHostsFile !== undefined && hostKeyPolicy === "strict") {
      report(knownHostsFile, owners.map(nameOfKnownHosts), {
        message: `${knownHostsFile} does not exist (yet): no host key is trusted, and nothing is connected to`,
        remedy: `ssh-keyscan ${portOf(endpoint)}${host} >> ${quoteWord(knownHostsFile)}, and compare the fingerprint`,
      });
    }
  };
  for (const [index, job] of config.jobs.entries()) {
    const where: KeyPath = ["jobs", index];
    const shared: KeyPath[] = [["defaults"], ["ssh"]];
    for (const [number, { endpoint }] of job.targets.entries()) {
      if (endpoint !== undefined) look(endpoint, [[...where, "targets", number], where, ...shared]);
    }
    const lockAt = (lock: LockFile, path: KeyPath) =>
      lock.type === "remote" && look(lock.endpoint, [path, where, ...shared]);
    job.lockFiles.forEach((lock, number) => lockAt(lock, [...where, "lock_files", number]));
    job.blocksOn.forEach(({ lock }, number) => lockAt(lock, [...where, "blocks_on", number]));
  }
  return [...missing.values()];
}

function nameOfKnownHosts(owner: KeyPath): KeyPath {
  return owner[0] === "ssh" ? ["ssh", "known_hosts_file"] : [...owner, "ssh", "known_hosts_file"];
}

/** The first of the keys that somebody has written: the place of one that is not there is that of what is around it. */
function findWritten(keys: readonly KeyPath[], find: Find): Omit<ConfigProblem, "message"> {
  const found = keys.map((key) => ({ own: find(key), around: find(key.slice(0, -1)) }));
  const written = found.find(({ own, around }) => own.line !== around.line || own.column !== around.column);
  return written?.own ?? find([]);
}

function accountOf({ user, host, port }: SshEndpoint): string {
  return `${port === undefined ? "" : `-p ${port} `}${user === undefined ? "" : `${user}@`}${host}`;
}

function portOf({ port }: SshEndpoint): string {
  return port === undefined ? "" : `-p ${port} `;
}

/** What this user may not look at may well be there for the director. */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return !["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "");
  }
}
