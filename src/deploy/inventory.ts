import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import { coerceError, describeError, OperatorError } from "../base/errors.ts";
import {
  accountName,
  asText,
  fieldsOf,
  fileMode,
  flagOf,
  listOf,
  namedEntries,
  plainPath,
  textOf,
  wrong,
} from "./inventory-fields.ts";
import type { GateRights } from "./gate-line.ts";

/** What is to be on which host. */
export interface Inventory {
  readonly file: string;
  readonly hosts: readonly InventoryHost[];
}

export interface InventoryHost {
  readonly name: string;
  readonly address: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly identityFile: string | undefined;
  readonly jumpHost: string | undefined;
  /** The operator's own; undefined: as the ssh configuration says. */
  readonly knownHostsFile: string | undefined;
  /** Become root by sudo, without a password. */
  readonly become: boolean;
  /** A .deb, or what `npm pack` made; undefined: only what peers need is brought there. */
  readonly package: string | undefined;
  readonly directories: readonly InventoryDirectory[];
  readonly instances: readonly InventoryInstance[];
}

export interface InventoryDirectory {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
}

export interface InventoryInstance {
  readonly name: string;
  /** Of this machine, absolute. */
  readonly configFile: string;
  readonly envFile: string | undefined;
  readonly account: string;
  readonly groups: readonly string[];
  readonly peers: readonly InventoryPeer[];
}

/** A host that lets the instance's key in, through a gate. */
export interface InventoryPeer {
  readonly host: string;
  readonly account: string;
  readonly rights: GateRights;
}

/** Reads an inventory; paths in it are relative to it. Throws an OperatorError that names the first mistake. */
export async function readInventory(file: string): Promise<Inventory> {
  const { parse } = await import("yaml");
  let tree: unknown;
  try {
    tree = parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new OperatorError(`${file}: ${describeError(coerceError(error))}`, { kind: "usage", cause: error });
  }
  const top = fieldsOf(tree, file, ["hosts"]);
  const at = (path: string) => resolve(dirname(resolve(file)), path.replace(/^~(?=\/)/, homedir()));
  const hosts = namedEntries(top.values["hosts"], `${file}: hosts`).map(([name, value]) =>
    readHost(name, value, { where: `${file}: hosts.${name}`, at }),
  );
  if (hosts.length === 0) throw wrong(file, "names no hosts");
  for (const host of hosts) {
    const peers = host.instances.flatMap((instance) => instance.peers);
    const stranger = peers.find((peer) => !hosts.some(({ name }) => name === peer.host));
    if (stranger !== undefined)
      throw wrong(`${file}: hosts.${host.name}`, `there is no host ${stranger.host} for its peer`);
  }
  return { file, hosts };
}

interface Reading {
  readonly where: string;
  readonly at: (path: string) => string;
}

const hostKeys = ["address", "user", "port", "identity_file", "jump_host", "known_hosts_file", "become", "package"];

function readHost(name: string, value: unknown, { where, at }: Reading): InventoryHost {
  const fields = fieldsOf(value ?? {}, where, [...hostKeys, "directories", "instances"]);
  const port = textOf(fields, "port", /^[1-9]\d{0,4}$/);
  const file = (key: string) => {
    const text = textOf(fields, key);
    return text === undefined ? undefined : at(text);
  };
  return {
    name,
    address: textOf(fields, "address", /^[A-Za-z0-9_][A-Za-z0-9_.:%-]*$/) ?? name,
    user: textOf(fields, "user", /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/),
    port: port === undefined ? undefined : Number(port),
    identityFile: file("identity_file"),
    jumpHost: textOf(fields, "jump_host", /^[A-Za-z0-9_[][A-Za-z0-9_.:@,[\]-]*$/),
    knownHostsFile: file("known_hosts_file"),
    become: flagOf(fields, "become"),
    package: file("package"),
    directories: listOf(fields, "directories", readDirectory),
    instances: namedEntries(fields.values["instances"], `${where}.instances`).map(([instance, content]) =>
      readInstance(instance, content, { where: `${where}.instances.${instance}`, at }),
    ),
  };
}

function readDirectory(value: unknown, where: string): InventoryDirectory {
  const fields = fieldsOf(value, where, ["path", "owner", "group", "mode"]);
  const path = textOf(fields, "path", plainPath);
  if (path === undefined) throw wrong(where, "path is missing");
  const owner = textOf(fields, "owner", accountName) ?? "root";
  const mode = (textOf(fields, "mode", fileMode) ?? "755").replace(/^0(?=...)/, "");
  return { path, owner, group: textOf(fields, "group", accountName) ?? owner, mode };
}

function readInstance(name: string, value: unknown, { where, at }: Reading): InventoryInstance {
  const fields = fieldsOf(value, where, ["config", "env_file", "account", "groups", "peers"]);
  const config = textOf(fields, "config");
  if (config === undefined) throw wrong(where, "config is missing");
  const envFile = textOf(fields, "env_file");
  return {
    name,
    configFile: at(config),
    envFile: envFile === undefined ? undefined : at(envFile),
    account: textOf(fields, "account", accountName) ?? "root",
    groups: listOf(fields, "groups", (group, place) => asText(group, place, accountName)),
    peers: listOf(fields, "peers", readPeer),
  };
}

function readPeer(value: unknown, where: string): InventoryPeer {
  const known = ["host", "account", "write", "read_only", "locks", "no_delete", "plain_links"];
  const fields = fieldsOf(value, where, known);
  const host = textOf(fields, "host");
  const account = textOf(fields, "account", accountName);
  if (host === undefined || account === undefined) throw wrong(where, "host and account are needed");
  const paths = (key: string) => listOf(fields, key, (path, place) => asText(path, place, plainPath));
  const rights = {
    readOnly: paths("read_only"),
    write: paths("write"),
    locks: paths("locks"),
    deletes: !flagOf(fields, "no_delete"),
    plainLinks: flagOf(fields, "plain_links"),
  };
  return { host, account, rights };
}
