import { readFile } from "node:fs/promises";
import { describeError, OperatorError } from "../base/errors.ts";
import { loadConfig } from "../config/load.ts";
import type { Config, SshEndpoint } from "../config/resolved.ts";
import type { InventoryInstance } from "./inventory.ts";

/** One instance with its configuration, as it will be loaded on its host. */
export interface LoadedInstance {
  readonly instance: InventoryInstance;
  readonly config: Config;
  /** The one key with which it goes to its peers; undefined: the configuration names none. */
  readonly key: string | undefined;
}

export function homeOf(account: string): string {
  return account === "root" ? "/root" : `/var/lib/${account}`;
}

export async function loadInstance(instance: InventoryInstance): Promise<LoadedInstance> {
  const { account, configFile, envFile, peers, name } = instance;
  const env = { ...(envFile === undefined ? {} : readEnvFile(await readInput(envFile))), HOME: homeOf(account) };
  const { config } = await loadConfig(configFile, { env });
  const keys = [...new Set(endpointsOf(config).flatMap(({ identityFile }) => identityFile ?? []))];
  if (peers.length > 0 && keys.length !== 1) {
    const found = keys.length === 0 ? "no private_ssh_key" : `several keys (${keys.join(", ")})`;
    throw new OperatorError(`${configFile}: ${name} has peers, and names ${found}: one is needed`, { kind: "usage" });
  }
  return { instance, config, key: keys.length === 1 ? keys[0] : undefined };
}

/** Every other host that the configuration leads to. */
export function endpointsOf({ jobs }: Config): SshEndpoint[] {
  const places = jobs.flatMap((job) => [...job.lockFiles, ...job.blocksOn.map(({ lock }) => lock)]);
  const locks = places.flatMap((lock) => (lock.type === "remote" ? [lock.endpoint] : []));
  return [...jobs.flatMap((job) => job.targets.flatMap(({ endpoint }) => endpoint ?? [])), ...locks];
}

/** What systemd's EnvironmentFile= takes and a shell reads alike: NAME=VALUE, without quotes. */
function readEnvFile(content: Buffer): Record<string, string> {
  const lines = content.toString("utf8").split("\n");
  const pairs = lines.flatMap((line) => {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
  });
  return Object.fromEntries(pairs);
}

export async function readInput(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new OperatorError(`${file} cannot be read: ${describeError(error)}`, { kind: "usage", cause: error });
  }
}
