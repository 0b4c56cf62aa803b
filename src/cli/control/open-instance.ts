import { OperatorError } from "../../base/errors.ts";
import { loadConfig } from "../../config/load.ts";
import { readInstanceNames } from "../../config/read-instance.ts";
import type { Config } from "../../config/resolved.ts";
import type { CommandContext } from "../command-context.ts";
import { configPath } from "../config-option.ts";
import type { Instance } from "./reach-director.ts";

export interface OpenedInstance extends Instance {
  /** undefined: the file has mistakes, and only says which instance it is. */
  readonly config: Config | undefined;
  /** What is wrong with the file. */
  readonly problem: OperatorError | undefined;
}

/**
 * The instance that a command is about. A file that has mistakes will do where its director can be asked: it may be
 * just being edited. Throws an `OperatorError` when it does not even name the instance.
 */
export async function openInstance(option: string | undefined, { env }: CommandContext): Promise<OpenedInstance> {
  const file = configPath(option, env);
  try {
    const { config } = await loadConfig(file, { env });
    return { rsyncId: config.rsyncId, pidFileDir: config.pidFileDir, file: config.file, config, problem: undefined };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const names = await readInstanceNames(file, { env });
    if (names === undefined) throw error;
    return { ...names, file, config: undefined, problem: error };
  }
}
