/**
 * Two kinds of failure are thrown in this program, and only two.
 *
 * An `OperatorError` is a message for the person who runs it: what is wrong, where, and what to do.
 * It is printed without a stack trace. Everything else is a bug of ours and is printed with its stack.
 * Results that are expected (a job that fails, a lock that is held) are values, never exceptions.
 */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  /** `usage` ends the program with 78 (sysexits' EX_CONFIG), `failure` with 1. */
  readonly kind: "usage" | "failure";

  constructor(message: string, options: { kind?: "usage" | "failure"; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = options.kind ?? "failure";
  }
}

/** Turns whatever was thrown into an `Error`, so that callers can rely on `message` and `stack`. */
export function coerceError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The code of a Node system error (`ENOENT`, `EADDRINUSE` …), or undefined for any other value. */
export function systemErrorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** One line about an error: its message, and those of its causes. */
export function describeError(thrown: unknown): string {
  const error = coerceError(thrown);
  const cause = error.cause === undefined ? "" : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`;
}
