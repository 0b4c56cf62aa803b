import { resolve } from "node:path";
import { readInstanceNames } from "../../config/read-instance.ts";
import type { CommandContext } from "../command-context.ts";
import { configPath } from "../config-option.ts";
import type { Instance } from "./reach-director.ts";

/** As `openInstance`, for commands that have no use for the configuration itself, and do not wait for its checks. */
export async function nameInstance(option: string | undefined, context: CommandContext): Promise<Instance> {
  const file = resolve(configPath(option, context.env));
  const names = await readInstanceNames(file, { env: context.env });
  // Loading it says what is wrong with it.
  if (names !== undefined) return { ...names, file };
  const { openInstance } = await import("./open-instance.ts");
  return openInstance(option, context);
}
