/** What the OpenSSH client said when it ended before a login: for a person to put right, or perhaps passing. */
export interface OpensshFailure {
  readonly kind: "refused" | "unreachable";
  readonly message: string;
}

/** First match wins; the texts are those of OpenSSH 8 to 10 in the C locale. */
const causes: readonly [pattern: RegExp, kind: OpensshFailure["kind"], message: (line: string) => string][] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "refused",
    () => "the host key has CHANGED: either the host was set up anew or somebody is in between",
  ],
  [/marked as revoked/i, "refused", () => "the host key is marked @revoked in known_hosts"],
  [
    /Host key verification failed|No .* host key is known for/,
    "refused",
    () => "the host key is not known: connect to it once with ssh and check the fingerprint",
  ],
  [/Too many authentication failures/, "refused", (line) => `the login was refused: ${line}`],
  [/Permission denied/, "refused", (line) => `the login was refused: ${line}`],
  [/Bad configuration option|no such identity|Invalid .* argument|percent_expand/i, "refused", (line) => line],
  [/no matching (?:host key|key exchange|cipher)/i, "refused", (line) => line],
];

/** Reads the client's error output. `fallback` stands in when it said nothing. */
export function classifyOpensshFailure(errorOutput: string, fallback: string): OpensshFailure {
  const lines = errorOutput
    .split("\n")
    .map((line) => line.replace(/\r$/, "").trim())
    .filter((line) => line !== "" && !/^\*\*|^Warning: Permanently added/.test(line));
  for (const [pattern, kind, message] of causes) {
    const line = lines.find((text) => pattern.test(text));
    if (line !== undefined) return { kind, message: [message(line), offender(lines)].filter(Boolean).join("; ") };
  }
  return { kind: "unreachable", message: lines.at(-1) ?? fallback };
}

/** The line of known_hosts that ssh names, for the one who has to look at it. */
function offender(lines: readonly string[]): string {
  return lines.find((line) => /^Offending .* key in /.test(line)) ?? "";
}
