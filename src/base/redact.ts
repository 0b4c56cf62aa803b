const hidden = "[redacted]";

/** Names of fields, options and variables whose value is a secret; `password_file` and the like are not. */
const secretName = /(?:password|passwd|passphrase|secret|token|authorization|api[-_]?key)$/i;

/** `user:password@` in a URL. The counts bound the work on hostile text: without them it is quadratic. */
const urlPassword = /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s/@:]{0,256}):[^\s/@]{1,256}@/gi;

/** `--password=x`, `TOKEN=x`, `"passphrase": "x"`, and the credentials after `Authorization:`. */
const secretValue =
  /((?:password|passwd|passphrase|secret|token|api[-_]?key)["']?[=:]\s?|authorization["']?[=:]\s?(?:(?:basic|bearer)\s)?)("[^"\n]{1,4096}"|'[^'\n]{1,4096}'|[^\s,;&"']{1,4096})/gi;

/** `--token x` inside a text: the word after an option whose name says that it takes a secret. */
const secretWord =
  /((?:^|\s)--?[\w-]{0,40}(?:password|passwd|passphrase|secret|token|api-?key)\s{1,8})[^\s'"-][^\s'"]{0,4095}/gi;

/** Whether a field of that name must not be shown. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** The text with what looks like a secret replaced: logs and history are read by many. */
export function redactText(text: string): string {
  return text
    .replace(urlPassword, `$1:${hidden}@`)
    .replace(secretValue, `$1${hidden}`)
    .replace(secretWord, `$1${hidden}`);
}

/** The words of a command line, redacted; also the word after a lone `--password` or `--token`. */
export function redactArgv(argv: readonly string[]): string[] {
  return argv.map((word, index) => {
    const previous = argv[index - 1] ?? "";
    return /^--?[a-z]/i.test(previous) && isSecretName(previous) ? hidden : redactText(word);
  });
}

/** A copy of a log line's fields with secrets replaced, down to `depth` levels of objects and lists. */
export function redactFields(fields: Record<string, unknown>, depth = 4): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isSecretName(name) ? hidden : redactValue(value, depth - 1)]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (value === null || typeof value !== "object" || value instanceof Error || value instanceof Date) return value;
  if (depth <= 0) return "[nested]";
  if (Array.isArray(value)) {
    return value.every((item) => typeof item === "string")
      ? redactArgv(value)
      : value.map((item) => redactValue(item, depth - 1));
  }
  return redactFields(value as Record<string, unknown>, depth);
}
