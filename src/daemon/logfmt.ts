/** One line of `key=value` pairs: what Loki, Grafana and grep like. `level`, `time` and `msg` come first. */
export function formatLogfmt(line: Readonly<Record<string, unknown>>): string {
  return `${Object.entries(line)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.replaceAll(/[\s="]/g, "_")}=${formatValue(value)}`)
    .join(" ")}\n`;
}

function formatValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // JSON's quoting also keeps line breaks and control characters from forging a second line.
  return text === "" || /[\s="\\\u0000-\u001f\u007f-\u009f]/.test(text) ? JSON.stringify(text) : text;
}
