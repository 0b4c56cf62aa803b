import { describe, expect, it } from "vitest";
import { createFailureReader, meaningOf, meansSignalled } from "../../../src/rsync/exit-codes.ts";
import { captured, capturedExitCodes, capturedVersions } from "../../support/rsync-fixtures.ts";

function readFailure(text: string) {
  const reader = createFailureReader();
  for (const line of text.split("\n")) reader.addLine("stderr", line);
  return reader;
}

it.each([
  ["ok", [0]],
  ["warning", [24]],
  ["partial", [23, 25]],
  ["retry", [10, 11, 12, 14, 20, 30, 35, 255]],
  ["fatal", [1, 2, 3, 4, 5, 13, 21, 22, 124, 125, 126, 127, 99]],
] as const)("takes as %s the codes %j", (exitClass, codes) => {
  expect(codes.filter((code) => meaningOf(code).class !== exitClass)).toEqual([]);
});

it("knows the codes by which rsync reports a signal", () => {
  expect([19, 20, 23].map(meansSignalled)).toEqual([true, true, false]);
});

describe.each(capturedVersions)("what rsync %s complains about", (version) => {
  const codes = capturedExitCodes(version);

  it.each([
    ["missing-source", "partial", /change_dir .*missing.* failed/],
    ["missing-parent", "retry", /mkdir .* failed/],
    ["bad-option", "fatal", /--no-such-option: unknown option/],
    ["max-delete", "partial", /^Deletions stopped due to --max-delete/],
  ])("is its first complaint in the case %s", (name, exitClass, complaint) => {
    expect(meaningOf(codes.get(name) ?? -1).class).toBe(exitClass);
    expect(readFailure(captured(version, name, "stderr")).firstError()).toMatch(complaint);
  });

  it("is explained when the host key is refused, whichever code rsync makes of it", () => {
    expect(readFailure(captured(version, "host-key", "stderr")).lastingCause(codes.get("host-key") ?? -1)).toMatch(
      /host key/,
    );
  });
});

it("explains why rsync 3.5 does not follow a link", () => {
  const code = capturedExitCodes("3.5.0").get("insecure-link") ?? -1;
  expect(readFailure(captured("3.5.0", "insecure-link", "stderr")).lastingCause(code)).toMatch(/symbolic link/);
});

it.each([
  ["backup@host: Permission denied (publickey,password).", 255, /login was refused/],
  ["Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", 255, /too many keys/],
  ["@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", 255, /has changed/],
  ["No ED25519 host key is known for h and you have requested strict checking.", 255, /host key/],
  ["bash: line 1: rsync: command not found", 127, /not installed/],
  ["sh: 1: rsync: not found", 12, /not installed/],
])("knows a cause that stays: %s", (line, code, cause) => {
  expect(readFailure(line).lastingCause(code)).toMatch(cause);
});

it("does not take a file's name for a refused login", () => {
  const line = 'rsync: [sender] send_files failed to open "/Permission denied (publickey": Permission denied (13)';
  expect(readFailure(line).lastingCause(23)).toBeUndefined();
});

it("passes over warnings and empty lines", () => {
  const text =
    "\nWarning: Permanently added 'h' to the list of known hosts.\nssh: connect to host h: Connection refused\n";
  expect(readFailure(text).firstError()).toBe("ssh: connect to host h: Connection refused");
});

it.each([
  "mux_client_request_session: session request failed: Session open refused by peer",
  "mux_client_request_session: read from master failed: Broken pipe",
  "muxclient: master hello exchange failed",
  "Control socket connect(/run/rsyncdirector/x.ssh/1): Connection refused",
])("passes over a shared connection that was not to be had: %s", (line) => {
  const text = `${line}\nssh: connect to host h: Connection refused\n`;
  expect(readFailure(text).firstError()).toBe("ssh: connect to host h: Connection refused");
});
