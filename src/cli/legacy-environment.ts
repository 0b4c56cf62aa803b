import { OperatorError } from "../base/errors.ts";
import type { LogLevel } from "../config/resolved.ts";

export interface LegacyEnvironment {
  runOnce: boolean;
  dryRun: boolean;
  logLevel: LogLevel | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The original prefixed its variables so; people's unit files still do. */
const prefixes = ["RSYNCDIRECTOR_", "RSYNCMANANGER_"] as const;

/** Python's names of log levels beside ours. */
const logLevels: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  critical: "error",
};

/** `…_RUNONCE=1`, `…_DRYRUN=1` and `…_LOGLEVEL=debug`, which the original reads. */
export function legacyEnvironment(env: Environment): LegacyEnvironment {
  return { runOnce: isOne("RUNONCE", env), dryRun: isOne("DRYRUN", env), logLevel: logLevelOf(env) };
}

function read(name: string, env: Environment): string | undefined {
  return prefixes.map((prefix) => env[prefix + name]).find((value) => value !== undefined && value !== "");
}

function isOne(name: string, env: Environment): boolean {
  return read(name, env) === "1";
}

function logLevelOf(env: Environment): LogLevel | undefined {
  const value = read("LOGLEVEL", env);
  if (value === undefined) return undefined;
  const level = logLevels[value.toLowerCase()];
  if (level !== undefined) return level;
  throw new OperatorError(
    `RSYNCDIRECTOR_LOGLEVEL (or RSYNCMANANGER_LOGLEVEL): "${value}" is not a level; use debug, info, warn or error`,
    {
      kind: "usage",
    },
  );
}
