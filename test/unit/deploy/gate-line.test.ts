import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { editAuthorizedKeys } from "../../../src/deploy/authorized-keys.ts";
import { gateLine, type GateRights } from "../../../src/deploy/gate-line.ts";
import { parsePublicKey } from "../../../src/deploy/public-key.ts";
import { holdRemotely } from "../../../src/rsync/hold-wrapper.ts";
import { projectRoot } from "../../support/project-files.ts";

const blob = "AAAAC3NzaC1lZDI1NTE5AAAAIBiSq5wDpBC4GGKRzQmYMRIhxBXpNYbLEo7n3iRRP5vK";
const key = parsePublicKey(`ssh-ed25519 ${blob} backup@laptop\n`);
const nothing: GateRights = { readOnly: [], write: [], locks: [], deletes: true, plainLinks: false };
const gate = "/usr/local/lib/rsyncdirector/gate.sh";

describe("a public key", () => {
  it.each([
    ["nothing", ""],
    ["two keys", `ssh-ed25519 ${blob}\nssh-ed25519 ${blob}\n`],
    ["options before it", `command="x" ssh-ed25519 ${blob}`],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"],
    ["another type than it says", `ssh-rsa ${blob}`],
    ["no base64", `ssh-ed25519 ${blob.replace("A", "!")}`],
  ])("is not taken for one: %s", (_, text) => {
    expect(() => parsePublicKey(text)).toThrow("this is no public key");
  });

  it("keeps its comment, without what does not belong into a line", () => {
    expect(parsePublicKey(`# from there\nssh-ed25519 ${blob} a b\u0007`).comment).toBe("a b?");
    expect(parsePublicKey(`ssh-ed25519 ${blob}`).comment).toBe("");
  });
});

describe("the line of a key", () => {
  it("restricts it to one program with its rights", () => {
    const rights = { ...nothing, readOnly: ["/srv"], write: ["/backup/a/"], locks: ["/run/locks"], deletes: false };
    expect(gateLine(key, rights, gate)).toBe(
      `restrict,command="/bin/sh ${gate} --read-only /srv --write /backup/a/ --locks /run/locks --no-delete" ssh-ed25519 ${blob} backup@laptop`,
    );
  });

  it.each([
    ["nothing allowed", {}, "may do nothing"],
    ["a relative path", { write: ["backup"] }, "cannot be a directory"],
    ["a blank", { write: ["/my backup"] }, "cannot be a directory"],
    ["a quote", { locks: ['/a"'] }, "cannot be a directory"],
    ["dots", { readOnly: ["/a/../b"] }, "cannot be a directory"],
    ["everything to write", { write: ["//"] }, "would be everything"],
    ["locks below what is written", { write: ["/b"], locks: ["/b/locks"] }, "would be written into"],
    ["locks above what is written", { write: ["/b/c"], locks: ["/b/"] }, "would be written into"],
  ])("is refused: %s", (_, rights, message) => {
    expect(() => gateLine(key, { ...nothing, ...rights }, gate)).toThrow(message);
  });

  it("takes directories that only begin alike", () => {
    expect(gateLine(key, { ...nothing, write: ["/b"], locks: ["/b-locks"] }, gate)).toContain("/b-locks");
  });
});

describe("authorized_keys", () => {
  const line = gateLine(key, { ...nothing, write: ["/b"] }, gate);
  const other = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC other";

  it.each([
    ["an empty file", "", "added", `${line}\n`],
    ["other keys, without a line end", other, "added", `${other}\n${line}\n`],
    [
      "the key with other rights",
      `${line.replace("--write /b", "--write /c")}\n${other}\n`,
      "replaced",
      `${line}\n${other}\n`,
    ],
    ["the key twice", `${line}\n${other}\n${line}\n`, "replaced", `${line}\n${other}\n`],
    ["the key in a comment", `# ssh-ed25519 ${blob}\n`, "added", `# ssh-ed25519 ${blob}\n${line}\n`],
  ])("gets the line: %s", (_, before, kind, text) => {
    expect(editAuthorizedKeys(before, key, line)).toEqual({ kind, text });
  });

  it("stays as it is when the line is there", () => {
    expect(editAuthorizedKeys(`${other}\n${line}\n`, key, line)).toEqual({ kind: "unchanged" });
  });

  it.each([`ssh-ed25519 ${blob}`, `command="/bin/sh /x/other.sh" ssh-ed25519 ${blob}`])(
    "is not changed when the key is let in otherwise: %s",
    (stranger) => {
      expect(editAuthorizedKeys(`${other}\n${stranger}\n`, key, line)).toEqual({ kind: "in-the-way", line: 2 });
    },
  );
});

describe("the gate", () => {
  it("knows the functions by which a push takes its kernel locks", async () => {
    const functions = holdRemotely([], "rsync")
      .replace(/^sh -c '/, "")
      .replace(/; ; exec rsync .*$|; exec rsync .*$/, "");
    const script = await readFile(join(projectRoot, "resources", "gate.sh"), "utf8");
    expect(script).toContain(`gate_functions='${functions}'`);
  });
});
