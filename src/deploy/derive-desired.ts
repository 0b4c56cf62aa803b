import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { OperatorError } from "../base/errors.ts";
import { packageFile } from "../base/package-file.ts";
import {
  configDirectory,
  deployDirectory,
  gateDirectory,
  type DesiredAccount,
  type DesiredDirectory,
  type DesiredFile,
  type DesiredGrant,
  type DesiredHost,
  type DesiredKnownHost,
  type DesiredProgram,
} from "./desired.ts";
import { gateWords } from "./gate-line.ts";
import { instanceFiles } from "./instance-files.ts";
import type { Inventory, InventoryHost } from "./inventory.ts";
import { endpointsOf, type LoadedInstance, loadInstance, readInput } from "./loaded-instance.ts";

/**
 * Reads what the inventory names, configurations checked as on their hosts, and says what each host is to have. Throws
 * an OperatorError for the first thing that cannot be: nothing has been touched then.
 */
export async function deriveDesired(inventory: Inventory): Promise<readonly DesiredHost[]> {
  const loaded = new Map<string, readonly LoadedInstance[]>();
  for (const host of inventory.hosts) loaded.set(host.name, await Promise.all(host.instances.map(loadInstance)));
  return Promise.all(inventory.hosts.map((host) => deriveHost(host, loaded)));
}

async function deriveHost(
  host: InventoryHost,
  loaded: ReadonlyMap<string, readonly LoadedInstance[]>,
): Promise<DesiredHost> {
  const instances = loaded.get(host.name) ?? [];
  const grants = [...loaded].flatMap(([name, others]) => others.flatMap((other) => grantsTo(host.name, name, other)));
  for (const { rights } of grants) gateWords(rights);
  const program = host.package === undefined ? undefined : await readProgram(host.package);
  if (program === undefined && instances.length > 0) {
    throw new OperatorError(`${host.name} has instances, and no package`, { kind: "usage" });
  }
  const files = await Promise.all(instances.map(async (one) => instanceFiles(one, program, readInput)));
  return {
    name: host.name,
    accounts: accountsOf(instances, grants),
    directories: directoriesOf(host, instances, grants),
    program,
    files: [...(grants.length === 0 ? [] : await gateFiles()), ...files.flat()],
    keys: instances.flatMap(({ instance, config }) =>
      [...new Set(endpointsOf(config).flatMap(({ identityFile }) => identityFile ?? []))].map((path) => ({
        path,
        account: instance.account,
      })),
    ),
    knownHosts: instances.flatMap(knownHostsOf),
    grants,
    instances: instances.map(({ instance: { name, account, envFile } }) => ({
      name,
      account,
      config: `${configDirectory}/${name}.yaml`,
      envFile: envFile === undefined ? undefined : `${configDirectory}/${name}.env`,
    })),
  };
}

function grantsTo(host: string, from: string, { instance, key }: LoadedInstance): DesiredGrant[] {
  return instance.peers.flatMap((peer) =>
    peer.host === host && key !== undefined
      ? [{ account: peer.account, from: { host: from, key }, rights: peer.rights }]
      : [],
  );
}

function knownHostsOf({ instance, config }: LoadedInstance): DesiredKnownHost[] {
  const all = endpointsOf(config).filter(
    ({ jumpHost, hostKeyPolicy }) => jumpHost === undefined && hostKeyPolicy === "strict",
  );
  const wanted = all.map(({ host, port, knownHostsFile }) => ({
    account: instance.account,
    file: knownHostsFile,
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: port ?? 22,
  }));
  return [...new Map(wanted.map((one) => [`${one.file}|${one.host}|${one.port}`, one])).values()];
}

function accountsOf(instances: readonly LoadedInstance[], grants: readonly DesiredGrant[]): DesiredAccount[] {
  const groups = new Map<string, Set<string>>();
  const add = (name: string, more: readonly string[]) =>
    groups.set(name, new Set([...(groups.get(name) ?? []), ...more]));
  for (const { instance } of instances) add(instance.account, instance.groups);
  for (const { account } of grants) add(account, []);
  return [...groups].map(([name, more]) => ({ name, groups: [...more] }));
}

/** Those of the inventory come first and count: others are only there so that nothing is missing. */
function directoriesOf(
  host: InventoryHost,
  instances: readonly LoadedInstance[],
  grants: readonly DesiredGrant[],
): DesiredDirectory[] {
  const root = (path: string, mode = "755") => ({ path, owner: "root", group: "root", mode });
  const own = (path: string, account: string, mode = "755") => ({ path, owner: account, group: account, mode });
  const found = [
    ...host.directories,
    root(deployDirectory),
    ...(grants.length === 0 ? [] : [root(gateDirectory)]),
    ...(instances.length === 0 ? [] : [root(configDirectory)]),
    ...instances.flatMap(({ instance, config }) => [
      ...(config.stateDir === undefined ? [] : [own(config.stateDir, instance.account, "750")]),
      ...(config.pidFileDir === undefined ? [] : [own(config.pidFileDir, instance.account)]),
      ...config.logging.flatMap((log) =>
        log.type === "file" ? [own(posix.dirname(log.path), instance.account, "750")] : [],
      ),
    ]),
    ...grants.flatMap(({ account, rights }) => [
      ...rights.write.map((path) => own(path, account, "750")),
      ...rights.locks.map((path) => own(path, account)),
    ]),
  ];
  const byPath = new Map<string, DesiredDirectory>();
  for (const directory of found) {
    const path = directory.path.replace(/\/+$/, "");
    const other = byPath.get(path);
    if (other === undefined) byPath.set(path, { ...directory, path });
    else if (
      other.owner !== directory.owner &&
      !host.directories.some((given) => given.path.replace(/\/+$/, "") === path)
    ) {
      const remedy = "say under directories whose it is";
      throw new OperatorError(
        `${host.name}: ${path} would belong to ${other.owner} and to ${directory.owner}: ${remedy}`,
        {
          kind: "usage",
        },
      );
    }
  }
  return [...byPath.values()].filter(({ path }) => !/^\/(var\/log|run|var\/run|tmp|etc)?$/.test(path));
}

async function gateFiles(): Promise<DesiredFile[]> {
  const names = ["lock.sh", "doctor.sh", "gate.sh"];
  return Promise.all(
    names.map(async (name) => ({
      path: `${gateDirectory}/${name}`,
      owner: "root",
      group: "root",
      mode: "755",
      content: await readFile(packageFile(`resources/${name}`)),
    })),
  );
}

async function readProgram(file: string): Promise<DesiredProgram> {
  const kind = file.endsWith(".deb") ? "deb" : file.endsWith(".tgz") ? "npm" : undefined;
  if (kind === undefined)
    throw new OperatorError(`${file} is neither a .deb nor a .tgz of npm pack`, { kind: "usage" });
  return {
    kind,
    file,
    sha256: createHash("sha256")
      .update(await readInput(file))
      .digest("hex"),
  };
}
