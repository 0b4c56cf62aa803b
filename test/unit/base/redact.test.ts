import { expect, test } from "vitest";
import { redactArgv, redactFields, redactText } from "../../../src/base/redact.ts";

test.each([
  ["https://user:pw@host/path", "https://user:[redacted]@host/path"],
  ["rsync://backup:geheim@nas/mod and more", "rsync://backup:[redacted]@nas/mod and more"],
  ["--password=hunter2 -v", "--password=[redacted] -v"],
  ["RSYNC_PASSWORD=abc rsync", "RSYNC_PASSWORD=[redacted] rsync"],
  ["Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"],
  ['{"api_key": "k1"}', '{"api_key": [redacted]}'],
])("hides the secret in %j", (text, expected) => {
  expect(redactText(text)).toBe(expected);
});

test.each(["--password-file=/etc/rsync.pw", "user@host:/path", "https://host/path?x=1", "token bucket", "a:b@c"])(
  "leaves %j alone",
  (text) => {
    expect(redactText(text)).toBe(text);
  },
);

test("hides the word after a lone secret option", () => {
  expect(redactArgv(["tool", "--token", "abc", "-v", "x"])).toEqual(["tool", "--token", "[redacted]", "-v", "x"]);
});

test("hides fields by name, however deep, and secrets inside other texts", () => {
  const fields = { password: "a", smtp: { authToken: "b", url: "smtp://u:p@h" }, list: [{ passphrase: "c" }], n: 1 };
  expect(redactFields(fields)).toEqual({
    password: "[redacted]",
    smtp: { authToken: "[redacted]", url: "smtp://u:[redacted]@h" },
    list: [{ passphrase: "[redacted]" }],
    n: 1,
  });
});

test("does not follow a circular object for ever", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  expect(JSON.stringify(redactFields(circular))).toContain("[nested]");
});

test("takes linear time on hostile text", () => {
  const hostile = [
    "a.".repeat(500_000),
    "http://".repeat(150_000),
    "password=".repeat(100_000),
    `password="${"x".repeat(1e6)}`,
  ];
  for (const text of hostile) expect(redactText(text).length).toBeGreaterThan(0);
});
