import { Option } from "commander";
import { OperatorError } from "../base/errors.ts";

/** The original's variable (its spelling) and ours; the first that is set names the configuration. */
const variables = ["RSYNCDIRECTOR_CONFIG", "RSYNCMANANGER_CONFIG"] as const;

/** `-c FILE`, as every command that needs a configuration has it. */
export function configOption(): Option {
  return new Option("-c, --config <file>", "configuration file (else $RSYNCDIRECTOR_CONFIG)");
}

/** The path that was asked for. Throws an `OperatorError` when nothing names one. */
export function configPath(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const path = option ?? variables.map((name) => env[name]).find((value) => value !== undefined && value !== "");
  if (path !== undefined) return path;
  throw new OperatorError("no configuration given: use --config FILE, or set RSYNCDIRECTOR_CONFIG", { kind: "usage" });
}
