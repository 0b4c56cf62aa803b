import { expect, test } from "vitest";
import { redactArgv, redactFields, redactText, redactUrl } from "../../../src/base/redact.ts";

test.each([
  ["https://user:pw@host/path", "https://user:[redacted]@host/path"],
  ["rsync://backup:geheim@nas/mod and more", "rsync://backup:[redacted]@nas/mod and more"],
  ["--password=hunter2 -v", "--password=[redacted] -v"],
  ["RSYNC_PASSWORD=abc rsync", "RSYNC_PASSWORD=[redacted] rsync"],
  ["Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"],
  ['{"api_key": "k1"}', '{"api_key": [redacted]}'],
  ["DB_PWD=abc x", "DB_PWD=[redacted] x"],
  ["--pass abc x", "--pass [redacted] x"],
  ["AccountKey=abc==;x", "AccountKey=[redacted];x"],
  ["aws_secret_access_key = abc".replace(" = ", "="), "aws_secret_access_key=[redacted]"],
  ["X-Auth-Key: abc", "X-Auth-Key: [redacted]"],
  ["private_key=abc", "private_key=[redacted]"],
  ["sshpass -p geheim ssh -p 22 h", "sshpass -p [redacted] ssh -p 22 h"],
  ["sshpass -v -pgeheim ssh h", "sshpass -v -p[redacted] ssh h"],
  ["curl -s -u ann:geheim https://h", "curl -s -u ann:[redacted] https://h"],
  ["curl --user 'ann:geheim' https://h", "curl --user 'ann:[redacted]' https://h"],
  ["mysqldump -u root -pgeheim all", "mysqldump -u root -p[redacted] all"],
])("hides the secret in %j", (text, expected) => {
  expect(redactText(text)).toBe(expected);
});

test.each([
  ["sshpass", "-p", "geheim", "ssh", "-p", "22"],
  ["/usr/bin/sshpass", "-pgeheim", "ssh", "-p", "22"],
  ["curl", "-su", "ann:geheim", "https://h"],
  ["curl", "--user=ann:geheim", "https://h"],
  ["sudo", "mysqldump", "-u", "root", "-pgeheim", "all"],
])("hides the password among the words of %s %s", (...argv) => {
  const shown = redactArgv(argv);
  expect(shown.join(" ")).not.toContain("geheim");
  expect(shown.filter((word) => word.includes("[redacted]"))).toHaveLength(1);
  expect(shown.at(-1)).toBe(argv.at(-1));
});

test.each([
  "ssh -p 22 host",
  "private_ssh_key=/k",
  "private_key_path: /k",
  "mkdir -pv /x",
  "mysql -P 3306",
  "--password-file=/etc/rsync.pw",
  "user@host:/path",
  "https://host/path?x=1",
  "token bucket",
  "a:b@c",
])("leaves %j alone", (text) => {
  expect(redactText(text)).toBe(text);
});

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
    "mysql -".repeat(100_000),
    "curl a ".repeat(100_000),
    "sshpass -x ".repeat(80_000),
    `curl -u ${"x".repeat(1e6)}`,
    "http://".repeat(150_000),
    "password=".repeat(100_000),
    `password="${"x".repeat(1e6)}`,
  ];
  for (const text of hostile) expect(redactText(text).length).toBeGreaterThan(0);
});

test.each([
  ["https://hc-ping.com/5f0c5b5e-7c5c-4b6e-9f57-111111111111", "https://hc-ping.com/[redacted]"],
  ["https://hc-ping.com/abcdefghij0123456789AB/home/fail", "https://hc-ping.com/[redacted]/home/fail"],
  [
    "https://hooks.example.org/services/T0/B0/abcDEF123456ghiJKL",
    "https://hooks.example.org/services/T0/B0/[redacted]",
  ],
  ["https://hc-ping.com/{{key}}/{{job}}?create=1", "https://hc-ping.com/{{key}}/{{job}}?create=[redacted]"],
  ["https://example.org/push?token=abc&job={{job}}", "https://example.org/push?token=[redacted]&job={{job}}"],
  ["https://ann:geheim@example.org/push", "https://ann:[redacted]@example.org/push"],
  ["https://ntfy.sh", "https://ntfy.sh"],
])("hides what gives access in the address %j", (url, expected) => {
  expect(redactUrl(url)).toBe(expected);
});
