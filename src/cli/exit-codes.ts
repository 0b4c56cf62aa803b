import { OperatorError } from "../base/errors.ts";
import type { OutcomeKind } from "../model/run.ts";

/**
 * What the program's exit status means. 78 and 75 are sysexits' EX_CONFIG and EX_TEMPFAIL: systemd
 * does not restart a unit on the first, and callers may try again later after the second.
 */
export const exitCodes = { ok: 0, failed: 1, temporary: 75, usage: 78 } as const;

/**
 * What the exit status of `check` means, and of nothing else: the conventions of monitoring plugins
 * (monitoring-plugins.org, development guidelines, "plugin return codes").
 */
export const pluginCodes = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes] | (typeof pluginCodes)[keyof typeof pluginCodes];

export function exitCodeOfOutcome(outcome: OutcomeKind): ExitCode {
  switch (outcome) {
    case "ok":
    case "warning":
      return exitCodes.ok;
    case "skipped":
      return exitCodes.temporary;
    case "failed":
    case "cancelled":
      return exitCodes.failed;
  }
}

export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof OperatorError && error.kind === "usage" ? exitCodes.usage : exitCodes.failed;
}
