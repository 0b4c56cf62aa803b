import { expect, it } from "vitest";
import { neverReached } from "../../../src/action/never-reached.ts";
import { report } from "../../support/history-samples.ts";

const nothing = "rsync: connection unexpectedly closed (0 bytes received so far) [sender]\n";
const some = "rsync: connection unexpectedly closed (57 bytes received so far) [sender]\n";
const says = (line: string, received = nothing, exitCode = 255) =>
  neverReached(report({ exitCode, output: `${line}\r\n${received}rsync error: unexplained error (code 255)\n` }));

it.each([
  "ssh: connect to host 127.0.0.1 port 2022: Connection refused",
  "ssh: connect to host fe80::1 port 22: No route to host",
  "ssh: connect to host backup01 port 22: Connection timed out",
  "ssh: Could not resolve hostname backup01: Name or service not known",
  "Connection timed out during banner exchange",
  "kex_exchange_identification: Connection closed by remote host",
  "Host key verification failed.",
  "backup@backup01: Permission denied (publickey,password).",
])("no writer was let in where ssh says: %s", (line) => expect(says(line)).toBe(true));

it("a writer may have been let in whenever one of them does not say so", () => {
  const line = "ssh: connect to host backup01 port 22: Connection refused";
  expect(says("client_loop: send disconnect: Broken pipe")).toBe(false);
  expect(says('rsync: mkdir "/x" failed: Permission denied (13)')).toBe(false);
  expect(says(`a script says: ${line}`)).toBe(false);
  // What the account's shell says before rsync is started there.
  expect(says(line, some)).toBe(false);
  expect(says(line, "")).toBe(false);
  expect(says(line, nothing, 11)).toBe(false);
});

it("no writer was let in either where rsync saw the closed pipe before it had the status of ssh", () => {
  expect(says("ssh: connect to host backup01 port 22: Connection refused", nothing, 12)).toBe(true);
});
