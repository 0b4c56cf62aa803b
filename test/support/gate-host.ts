import { chmod, copyFile, mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { gateLine, type GateRights } from "../../src/deploy/gate-line.ts";
import { parsePublicKey } from "../../src/deploy/public-key.ts";
import { projectRoot } from "./project-files.ts";
import { startSshd, type TestSshd } from "./sshd.ts";
import { makeTempDir } from "./temp-dir.ts";

export interface Answer {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host on which a key may do what one line of authorized_keys says. */
export interface GateHost {
  readonly sshd: TestSshd;
  path(...parts: string[]): string;
  /** Asks for a command, as any ssh client would; `options` go before it. */
  ssh(command: string, extra?: { options?: readonly string[]; input?: string }): Promise<Answer>;
  /** Runs rsync with that key; `there(path)` names a path on the host. */
  rsync(...args: string[]): Promise<Answer>;
  there(path: string): string;
  /** The program, options included, that scp, sftp and rsync start. */
  readonly client: readonly string[];
}

/** The shells by which the gate may be run: `/bin/sh` of Debian, and that of small systems. */
export type GateShell = "dash" | "busybox sh" | "bash --posix";

/**
 * Starts a host with the directories `data`, `more`, `outside` and `locks`; `rights` are asked for with its paths.
 * Everything ends with the test.
 */
export async function makeGateHost(
  rights: (path: GateHost["path"]) => Partial<GateRights>,
  options: {
    shell?: GateShell;
    /** `home`: what the account has as its HOME. */ rawLine?: (line: string, home: string) => string;
  } = {},
): Promise<GateHost> {
  const directory = await realpath(await makeTempDir());
  const path = (...parts: string[]) => join(directory, ...parts);
  for (const name of ["data", "more", "outside", "locks", "gate"]) await mkdir(path(name));
  for (const name of ["gate.sh", "lock.sh", "doctor.sh"]) {
    await copyFile(join(projectRoot, "resources", name), path("gate", name));
    await chmod(path("gate", name), 0o755);
  }
  const sshd = await startSshd();
  onTestFinished(() => sshd.stop());
  const keyFile = `${sshd.identityFile}.pub`;
  const none = { readOnly: [], write: [], locks: [], deletes: true, plainLinks: false };
  const key = parsePublicKey(await readFile(keyFile, "utf8"));
  const line = gateLine(key, { ...none, ...rights(path) }, path("gate", "gate.sh"));
  const shelled = line.replace("/bin/sh ", `${options.shell ?? "/bin/sh"} `);
  await writeFile(keyFile, `${options.rawLine?.(shelled, dirname(sshd.identityFile)) ?? shelled}\n`);
  const client = [
    ...["-F", "none", "-i", sshd.identityFile, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
    ...["-o", `UserKnownHostsFile=${sshd.knownHostsFile}`, "-o", `Port=${sshd.port}`],
  ];
  const at = `${sshd.user}@${sshd.host}`;
  const ssh: GateHost["ssh"] = async (command, { options: extra = [], input = "" } = {}) => {
    const result = await execa("ssh", [...client, ...extra, at, command], { reject: false, input, timeout: 60_000 });
    return pick(result);
  };
  return {
    sshd,
    path,
    ssh,
    rsync: async (...args) =>
      pick(await execa("rsync", ["-e", ["ssh", ...client].join(" "), ...args], { reject: false, timeout: 30_000 })),
    there: (name) => `${at}:${name}`,
    client,
  };
}

function pick({ exitCode, stdout, stderr }: { exitCode?: number; stdout: string; stderr: string }): Answer {
  return { exitCode, stdout, stderr };
}
