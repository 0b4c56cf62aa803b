import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import type { BootedDebian } from "./booted-debian.ts";

/** How an instance is run, and what differs between the two units. */
export interface UnitKind {
  readonly template: "rsyncdirector" | "rsyncdirector-push";
  readonly account: "root" | "rsyncdirector";
  readonly locks: string;
  readonly state: string;
}

export const rootUnit: UnitKind = {
  template: "rsyncdirector",
  account: "root",
  locks: "/run/rsyncdirector-locks",
  state: "/var/lib/rsyncdirector",
};

export const pushUnit: UnitKind = {
  template: "rsyncdirector-push",
  account: "rsyncdirector",
  locks: "/run/rsyncdirector-push-locks",
  state: "/var/lib/rsyncdirector-push",
};

/** An instance in the container that copies /srv/secret-NAME, which only root may read, to /srv/vault/NAME. */
export interface PackagedInstance {
  readonly name: string;
  readonly unit: string;
  readonly config: string;
  readonly lock: string;
  readonly port: number;
  /** Where the copy arrives. */
  readonly copy: string;
  /** One property of the unit. */
  show(property: string): Promise<string>;
  /** A SIGHUP. */
  runNow(): Promise<void>;
  /** What its journal says. */
  journal(): Promise<string>;
  /** Puts a file that takes a minute to copy into the source, runs the job, and resolves when rsync is at it. */
  startLongRun(): Promise<void>;
  /** Takes that file away again. */
  endLongRun(): Promise<void>;
}

export interface InstanceOptions {
  readonly name: string;
  readonly port: number;
  /** Further keys of the configuration, or others. */
  readonly more?: object;
  readonly watchdogSeconds?: number;
}

const key = "/root/backup-key";

/** An account at the other end of SSH: this same machine. Its key lies where only root may read it. */
export async function makeVault(debian: BootedDebian): Promise<void> {
  await debian.run(`
    useradd --create-home --home-dir /srv/vault --shell /bin/sh vault
    ssh-keygen -q -t ed25519 -N '' -f ${key}
    install -d -o vault -g vault -m 0700 /srv/vault/.ssh
    install -o vault -g vault -m 0600 ${key}.pub /srv/vault/.ssh/authorized_keys
    echo "127.0.0.1 $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" > /etc/rsyncdirector/known_hosts
  `);
}

export async function makePackagedInstance(
  debian: BootedDebian,
  kind: UnitKind,
  options: InstanceOptions,
): Promise<PackagedInstance> {
  const { name, port, more, watchdogSeconds = 60 } = options;
  const unit = `${kind.template}@${name}.service`;
  const config = `/etc/rsyncdirector/${name}.yaml`;
  const lock = `${kind.locks}/${name}`;
  const source = `/srv/secret-${name}`;
  const copy = `/srv/vault/${name}`;
  const text = stringify({
    ...{ rsync_id: name, metrics: { addr: "127.0.0.1", port } },
    ...(kind === pushUnit && { state_dir: kind.state }),
    jobs: [
      {
        ...{ id: "copy", type: "remote", user: "vault", host: "127.0.0.1" },
        private_ssh_key: "${CREDENTIALS_DIRECTORY}/key",
        ssh: { known_hosts_file: "/etc/rsyncdirector/known_hosts" },
        lock_files: [{ type: "local", path: lock }],
        actions: [
          ...[{ action: "sync", id: "copy", source: `${source}/`, dest: `${copy}/`, opts: ["-rt", "--bwlimit=1m"] }],
        ],
      },
    ],
    ...more,
  });
  await debian.write(config, text, 0o600);
  await debian.write(
    `/etc/systemd/system/${kind.template}@${name}.service.d/key.conf`,
    `[Service]\nLoadCredential=key:${key}\nWatchdogSec=${watchdogSeconds}\nRestartSec=100ms\n`,
  );
  await debian.run(`
    systemctl daemon-reload
    install -d -m 0700 ${source}; echo one > ${source}/file; chmod 0600 ${source}/file
  `);
  const instance: PackagedInstance = {
    ...{ name, unit, config, lock, port, copy },
    show: async (property) => (await debian.run(`systemctl show --value -p ${property} ${unit}`)).trim(),
    runNow: async () => void (await debian.run(`systemctl kill --signal=HUP --kill-whom=main ${unit}`)),
    journal: () => debian.run(`journalctl --no-pager -o cat -u ${unit}`),
    startLongRun: async () => {
      await debian.run(`truncate -s 60M ${source}/large`);
      await instance.runNow();
      await debian.until(`test -e ${lock} && ls -A ${copy} | grep -q '^\\.large\\.'`);
    },
    endLongRun: async () => void (await debian.run(`rm -f ${source}/large ${copy}/.large.*`)),
  };
  return instance;
}

/** An instance that runs; it is stopped and forgotten when the test ends. */
export async function startPackagedInstance(
  debian: BootedDebian,
  kind: UnitKind,
  options: InstanceOptions,
): Promise<PackagedInstance> {
  const instance = await makePackagedInstance(debian, kind, options);
  onTestFinished(async () => {
    await debian.attempt(`systemctl disable --now ${instance.unit}; systemctl reset-failed ${instance.unit}`);
    await debian.run(`rm -rf ${instance.config} /etc/systemd/system/${instance.unit}.d`);
  });
  await debian.run(`systemctl enable --now ${instance.unit} 2>&1`);
  return instance;
}
