import { describe, expect, it } from "vitest";
import { hostKeyAlgorithms, judgeHostKey, readFoundKeys, type HostKeys } from "../../../src/ssh/known-hosts.ts";

const blob = (text: string) => Buffer.from(text).toString("base64");
const known = (text: string, overrides: Partial<HostKeys> = {}): HostKeys => ({
  name: "[backup01]:2222",
  keys: readFoundKeys(text, "/home/me/.ssh/known_hosts"),
  withoutPort: false,
  files: ["/home/me/.ssh/known_hosts"],
  ...overrides,
});
const line = (type: string, key: string, marker = "", number = 3) =>
  `# Host backup01 found: line ${number} \n${marker}${marker && " "}|1|salt|hash ${type} ${blob(key)} comment\n`;

describe("judging a host key", () => {
  it("trusts the key on file", () => {
    expect(judgeHostKey(known(line("ssh-ed25519", "right")), Buffer.from("right"), "strict").kind).toBe("trusted");
  });

  it.each(["strict", "accept-new"] as const)("refuses another key than the one on file (%s)", (policy) => {
    const verdict = judgeHostKey(known(line("ssh-ed25519", "right")), Buffer.from("wrong"), policy);
    expect(verdict).toMatchObject({ kind: "refused" });
    const { message } = verdict as { message: string };
    expect(message).toContain("/home/me/.ssh/known_hosts line 3");
    expect(message).toContain("ssh-keygen -f /home/me/.ssh/known_hosts -R '[backup01]:2222'");
  });

  it.each(["strict", "accept-new"] as const)("refuses a revoked key even if it is also on file (%s)", (policy) => {
    const text = line("ssh-ed25519", "right") + line("ssh-ed25519", "right", "@revoked", 9);
    const verdict = judgeHostKey(known(text), Buffer.from("right"), policy);
    expect(verdict).toMatchObject({ kind: "refused", message: expect.stringMatching(/@revoked .* line 9/) });
  });

  it("refuses an unknown host unless new ones are to be accepted", () => {
    const refused = judgeHostKey(known(""), Buffer.from("any"), "strict");
    expect(refused).toMatchObject({ kind: "refused", message: expect.stringContaining("is not known") });
    expect(judgeHostKey(known(""), Buffer.from("any"), "accept-new").kind).toBe("new");
  });

  it("takes a key that is filed without the port only if it matches", () => {
    const keys = known(line("ssh-ed25519", "right"), { withoutPort: true });
    expect(judgeHostKey(keys, Buffer.from("right"), "strict").kind).toBe("trusted");
    expect(judgeHostKey(keys, Buffer.from("wrong"), "strict")).toMatchObject({
      message: expect.stringContaining("is not known"),
    });
  });

  it("does not take a certificate authority for the host's own key", () => {
    const keys = known(line("ssh-ed25519", "authority", "@cert-authority"));
    for (const policy of ["strict", "accept-new"] as const) {
      expect(judgeHostKey(keys, Buffer.from("authority"), policy)).toMatchObject({
        kind: "refused",
        message: expect.stringContaining("@cert-authority"),
      });
    }
  });
});

describe("the host key algorithms to offer", () => {
  it("are those of the keys on file, RSA with SHA-2 only", () => {
    const text = line("ssh-rsa", "a") + line("ecdsa-sha2-nistp256", "b") + line("ssh-ed25519", "c", "@revoked");
    expect(hostKeyAlgorithms(known(text))).toEqual(["ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]);
  });

  it("are left open for an unknown host", () => {
    expect(hostKeyAlgorithms(known(""))).toBeUndefined();
  });
});
