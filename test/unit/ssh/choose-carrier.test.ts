import { describe, expect, it } from "vitest";
import { whyOpenssh } from "../../../src/ssh/choose-carrier.ts";
import type { Identities } from "../../../src/ssh/identities.ts";
import type { HostKeys, KnownKey } from "../../../src/ssh/known-hosts.ts";
import { readSshConfiguration, type ResolvedHost } from "../../../src/ssh/resolve-host.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";

const plainHost = readSshConfiguration("user me\nhostname host\nport 22\n", plainEndpoint, {});
const plainKeys: Identities = { methods: [{} as never], passedOver: [], beyond: undefined };
const key: KnownKey = { marker: "trusted", type: "ssh-ed25519", base64: "AAAA", file: "/known", line: 1 };

function why(
  host: Partial<ResolvedHost>,
  {
    identities = {},
    keys = [key],
    kerberos = false,
  }: { identities?: Partial<Identities>; keys?: KnownKey[]; kerberos?: boolean } = {},
) {
  const known: HostKeys = { name: "host", keys, withoutPort: false, files: ["/known"] };
  return whyOpenssh({ ...plainHost, ...host }, { identities: { ...plainKeys, ...identities }, known, kerberos });
}

describe("the choice between ssh2 and the ssh client", () => {
  it("is ssh2 for everything it can do, jump hosts included", () => {
    expect(why({})).toBeUndefined();
    expect(why({ proxy: { option: "ProxyJump", value: "gate" } })).toBeUndefined();
    expect(why({}, { keys: [{ ...key, marker: "authority" }, key] })).toBeUndefined();
    expect(why({}, { keys: [] })).toBeUndefined();
  });

  it("is the ssh client for what only that can do, with the reason", () => {
    expect(why({ proxy: { option: "ProxyCommand", value: "nc %h %p" } })).toContain("ProxyCommand");
    expect(why({ certificateFiles: ["/certificate"] })).toBe("CertificateFile /certificate");
    expect(why({ pkcs11: true })).toContain("PKCS#11");
    expect(why({}, { identities: { beyond: "ssh2 cannot read /key" } })).toBe("ssh2 cannot read /key");
    expect(why({}, { keys: [{ ...key, marker: "authority" }] })).toContain("@cert-authority in /known");
  });

  it("is the ssh client for Kerberos only where there is no key and Kerberos is set up", () => {
    const none = { methods: [] };
    expect(why({ gssapi: true }, { identities: none, kerberos: true })).toContain("Kerberos");
    expect(why({ gssapi: true }, { identities: none })).toBeUndefined();
    expect(why({ gssapi: true }, { kerberos: true })).toBeUndefined();
    expect(
      why({ gssapi: true }, { identities: { ...none, passedOver: ["a bad key"] }, kerberos: true }),
    ).toBeUndefined();
  });
});
