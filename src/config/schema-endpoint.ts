import Type, { type Static } from "typebox";
import { block, choice, duration, flag, port, positiveDuration, text } from "./schema-parts.ts";

const { Optional } = Type;

/** Where another host is and how to log in: the same keys at jobs, lock files and blocks. */
export const endpointKeys = {
  user: Optional(
    text("user", {
      description: "Account on the other host; else what the ssh configuration says.",
      examples: ["backup"],
    }),
  ),
  host: Optional(
    text("host", {
      description: "The other host: a name, an alias of the ssh configuration or an address.",
      examples: ["backup01.example.com"],
    }),
  ),
  port: Optional(
    port({ description: "Port of its ssh server; else what the ssh configuration says.", examples: [22000] }),
  ),
  private_ssh_key: Optional(
    text("file-path", {
      description: "File with the private key. `private_key_path` and `identity_file` mean the same.",
      examples: ["/etc/rsyncdirector/id_ed25519"],
    }),
  ),
  private_key_path: Optional(text("file-path", { description: "The same as `private_ssh_key`." })),
  identity_file: Optional(text("file-path", { description: "The same as `private_ssh_key`." })),
};

const connectionKeys = {
  known_hosts_file: Optional(
    text("file-path", {
      description: "File with host keys instead of those of the ssh configuration.",
      examples: ["/etc/rsyncdirector/known_hosts"],
    }),
  ),
  host_key_policy: Optional(
    choice(["strict", "accept-new"], {
      description:
        "`strict`: connect to known hosts only. `accept-new`: learn a key the first time, refuse a changed one.",
      default: "strict",
    }),
  ),
  connect_timeout: Optional(
    positiveDuration({ description: "Longest time for connecting and logging in.", default: 20 }),
  ),
  options: Optional(
    Type.Unsafe<Record<string, string | number | boolean>>({
      type: "object",
      description: "Further options of the ssh client, as in `ssh_config`.",
      propertyNames: { pattern: "^[A-Za-z0-9]+$" },
      additionalProperties: { type: ["string", "number", "boolean"] },
      examples: [{ ServerAliveInterval: 15 }],
    }),
  ),
  jump_host: Optional(
    text("line", {
      description:
        "Host to connect through, or several with commas between, as `ssh -J` takes them. How to log in there is up to the ssh configuration.",
      examples: ["gateway.example.com", "admin@gateway:2222,inner"],
    }),
  ),
  share: Optional(
    flag({
      description:
        "Syncs to the same host, account and port share one ssh connection: the next one saves the login. `false`: each connects by itself. `ControlPath` and its like among `options` mean the same.",
      default: true,
    }),
  ),
  share_idle: Optional(
    positiveDuration({
      description: "A shared connection is closed when nobody has used it for so long.",
      default: 60,
    }),
  ),
  transport: Optional(
    choice(["auto", "ssh2", "openssh"], {
      description:
        "What carries the lock connections. `auto`: the built-in client, and OpenSSH's for what that cannot do (certificates, security keys, ProxyCommand).",
      default: "auto",
    }),
  ),
};

export const jobSshBlock = block("ssh of a job", "How to connect; overrides the top-level `ssh`.", connectionKeys);

export const sshBlock = block("ssh", "Defaults for every connection to another host.", {
  user: endpointKeys.user,
  port: endpointKeys.port,
  private_ssh_key: endpointKeys.private_ssh_key,
  private_key_path: endpointKeys.private_key_path,
  identity_file: endpointKeys.identity_file,
  ...connectionKeys,
});

const lockKeys = {
  type: choice(["local", "remote"], {
    description: "`local`: on this host. `remote`: on another one, reached over ssh.",
  }),
  path: text("lock-path", {
    description: "The lock file. Its directory must exist.",
    examples: ["/run/rsyncdirector-locks/backup01"],
  }),
  peer: Optional(
    choice(["legacy"], {
      description:
        "The Python original uses this file too, or waits for it: the job waits a moment between its claim and its second look.",
    }),
  ),
  foreign_stale_after: Optional(
    positiveDuration({
      description:
        "A lock of another program that is older than this is moved aside. Without it such a lock is never touched.",
      examples: ["24h"],
    }),
  ),
  ...endpointKeys,
};

const lockDescription = "A remote lock without `host` lies on the job's host, and takes its user, port and key.";

export const lockFileBlock = block("lock file", `A lock that the job holds while it works. ${lockDescription}`, {
  ...lockKeys,
  allow_unsafe_directory: Optional(
    flag({
      description:
        "Lock also in a directory where everybody may write, or that belongs to neither root nor the account: whoever may write there can spoil the lock.",
      default: false,
    }),
  ),
  allow_network_filesystem: Optional(
    flag({
      description: "Lock also on NFS and the like, where the locks of hosts that mount it may not exclude each other.",
      default: false,
    }),
  ),
});

export const blockBlock = block("block", `A lock of somebody else that the job waits for. ${lockDescription}`, {
  ...lockKeys,
  wait_time: Optional(positiveDuration({ description: "Time between two looks.", default: 60, examples: ["5m"] })),
  timeout: Optional(
    duration({
      description: "Longest wait, counted from the first look; without it the job waits for ever. 0: look once.",
      examples: ["1h"],
    }),
  ),
  on_timeout: Optional(
    choice(["skip", "fail"], {
      description: "What becomes of the job then: skipped until its next time, or failed.",
      default: "skip",
    }),
  ),
});

export type RawSsh = Static<typeof sshBlock>;
export type RawOwnLockFile = Static<typeof lockFileBlock>;
export type RawLockFile = Omit<RawOwnLockFile, "allow_unsafe_directory" | "allow_network_filesystem">;
export type RawBlock = Static<typeof blockBlock>;
