const hidden = "[redacted]";

/** Names of fields, options and variables whose value is a secret; `password_file` and the like are not. */
const secretName =
  /(?:password|passwd|passphrase|pass|pwd|secret|token|authorization|(?:api|access|account|private|auth)[-_]?key)$/i;

/** `user:password@` in a URL. The counts bound the work on hostile text: without them it is quadratic. */
const urlPassword = /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s/@:]{0,256}):[^\s/@]{1,256}@/gi;

/** `--password=x`, `TOKEN=x`, `"passphrase": "x"`, and the credentials after `Authorization:`. */
const secretValue =
  /((?:password|passwd|passphrase|pass|pwd|secret|token|(?:api|access|account|private|auth)[-_]?key)["']?[=:]\s?|authorization["']?[=:]\s?(?:(?:basic|bearer)\s)?)("[^"\n]{1,4096}"|'[^'\n]{1,4096}'|[^\s,;&"']{1,4096})/gi;

/** `--token x` inside a text: the word after an option whose name says that it takes a secret. */
const secretWord =
  /((?:^|\s)--?[\w-]{0,40}(?:password|passwd|passphrase|pass|pwd|secret|token|(?:api|access|account|private|auth)[-_]?key)\s{1,8})[^\s'"-][^\s'"]{0,4095}/gi;

/** Up to so many words between the program and the option: the counts bound the work. */
const between = String.raw`(?:[ \t]{1,8}[^ \t\n]{1,256}){0,12}?[ \t]{1,8}`;
const word = String.raw`(?:"[^"\n]{1,4096}"|'[^'\n]{1,4096}'|[^\s'"]{1,4096})`;

/** Programs that take a password in a short option of their own. */
const programSecrets: readonly RegExp[] = [
  new RegExp(String.raw`(\bsshpass(?:[ \t]{1,8}-[^p\s][^\s]{0,256}){0,4}[ \t]{1,8}-p[ \t]{0,8})${word}`, "g"),
  new RegExp(String.raw`(\bmysql\w{0,20}${between}-p)${word}`, "g"),
  new RegExp(
    String.raw`(\bcurl${between}(?:-[a-zA-Z]{0,8}[uU][ \t]{0,8}|--(?:proxy-)?user[ \t=]{1,8})["']?[^\s:'"]{0,256}:)[^\s'"]{1,4096}`,
    "g",
  ),
];

/** What every pattern above asks for something of: most texts have nothing of it, and are looked through once. */
const mayHoldSecret = /:\/\/|pass|pwd|secret|token|key|authorization|mysql|curl/i;

/** Whether a field of that name must not be shown. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** The text with what looks like a secret replaced: logs and history are read by many. */
export function redactText(text: string): string {
  if (!mayHoldSecret.test(text)) return text;
  const shown = programSecrets.reduce((rest, secret) => rest.replace(secret, `$1${hidden}`), text);
  return shown
    .replace(urlPassword, `$1:${hidden}@`)
    .replace(secretValue, `$1${hidden}`)
    .replace(secretWord, `$1${hidden}`);
}

/** Parts of a path or query that are long enough to be a key, and are no word with dashes. */
const keyLike = /^(?=.*\d)[\w~.-]{12,}$|^[\w~.-]{20,}$/;

/**
 * An address without what may give access to it: passwords, values of its query, and parts of its path that look
 * like keys, such as those of hooks and pings. Placeholders are shown.
 */
export function redactUrl(url: string): string {
  const [, origin = "", path = "", query = ""] = /^([a-z+.-]+:\/\/[^/?#]*)([^?#]*)(.*)$/is.exec(url) ?? [];
  if (origin === "") return redactText(url);
  const shown = path
    .split("/")
    .map((part) => (keyLike.test(part) ? hidden : part))
    .join("/");
  const values = query.replaceAll(/=(?!\{\{[^{}]*\}\}(?:&|$))[^&#]+/g, `=${hidden}`);
  return redactText(`${origin}${shown}`) + values;
}

/** The words of a command line, redacted; also the word after a lone `--password` or `--token`. */
export function redactArgv(argv: readonly string[]): string[] {
  let program = "";
  return argv.map((word, index) => {
    const previous = argv[index - 1] ?? "";
    if (/^--?[a-z]/i.test(previous) && isSecretName(previous)) return hidden;
    const shown = redactProgramWord(program, previous, word);
    // sshpass is followed by a program whose -p is a port.
    if (program === "sshpass" && !word.startsWith("-") && !/^-[pPfd]$/.test(previous)) program = "";
    program = /(?:^|\/)(sshpass|curl|mysql\w{0,20})$/.exec(word)?.[1] ?? program;
    return shown ?? redactText(word);
  });
}

function redactProgramWord(program: string, previous: string, word: string): string | undefined {
  if (program === "sshpass") {
    if (previous === "-p") return hidden;
    return /^-p./s.test(word) ? `-p${hidden}` : undefined;
  }
  if (program.startsWith("mysql")) return /^-p./s.test(word) ? `-p${hidden}` : undefined;
  if (program !== "curl") return undefined;
  const takesUser = /^(?:-[a-z]{0,8}u|--(?:proxy-)?user)$/i.test(previous);
  const user = (takesUser ? /^([^:]*:)./s : /^((?:-[a-z]{0,8}u|--(?:proxy-)?user=)[^:]*:)./is).exec(word)?.[1];
  return user === undefined ? undefined : `${user}${hidden}`;
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
