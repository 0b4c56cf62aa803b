import type { GateRights } from "./gate-line.ts";

/** Everything that a host is to have. */
export interface DesiredHost {
  readonly name: string;
  readonly accounts: readonly DesiredAccount[];
  readonly directories: readonly DesiredDirectory[];
  readonly program: DesiredProgram | undefined;
  readonly files: readonly DesiredFile[];
  readonly keys: readonly DesiredKey[];
  readonly knownHosts: readonly DesiredKnownHost[];
  readonly grants: readonly DesiredGrant[];
  readonly instances: readonly DesiredInstance[];
}

export interface DesiredAccount {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface DesiredDirectory {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** Octal, three digits. */
  readonly mode: string;
}

/** A package of this program. */
export interface DesiredProgram {
  readonly kind: "deb" | "npm";
  readonly file: string;
  readonly sha256: string;
}

export interface DesiredFile {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  readonly content: Buffer;
  /** A shell command that has to succeed with the new file, `$new`, before it replaces anything. */
  readonly check?: string;
  /** What was there before stays as .bak-TIME. */
  readonly keepsOld?: boolean;
  /** The instance that has to be started anew when this changes. */
  readonly instance?: string;
  /** Only where systemd runs. */
  readonly unit?: boolean;
}

/** A key pair of an instance, made on its host. */
export interface DesiredKey {
  readonly path: string;
  readonly account: string;
}

/** A host whose key an account must know before it connects. */
export interface DesiredKnownHost {
  readonly account: string;
  /** undefined: the account's own file. */
  readonly file: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** A key of another host that is let in. */
export interface DesiredGrant {
  readonly account: string;
  readonly from: { readonly host: string; readonly key: string };
  readonly rights: GateRights;
}

export interface DesiredInstance {
  readonly name: string;
  readonly account: string;
  readonly config: string;
  readonly envFile: string | undefined;
}

/** Where the gate and the scripts that it reads lie on every host that lets keys in. */
export const gateDirectory = "/usr/local/lib/rsyncdirector";
export const configDirectory = "/etc/rsyncdirector";
/** What this program remembers on a host about its own work. */
export const deployDirectory = "/var/lib/rsyncdirector-deploy";

export function knownHostName({ host, port }: { host: string; port: number }): string {
  return port === 22 ? host : `[${host}]:${port}`;
}
