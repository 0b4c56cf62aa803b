import { describe, expect, it } from "vitest";
import { lastHop } from "../../../src/ssh/jump-hosts.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";

describe("the last hop of a ProxyJump", () => {
  it.each([
    ["gate", { host: "gate", user: undefined, port: undefined, jumpHost: undefined }],
    ["admin@gate:2222", { host: "gate", user: "admin", port: 2222 }],
    ["a,b@second:1,c@third:2", { host: "third", user: "c", port: 2, jumpHost: "a,b@second:1" }],
    ["[fe80::1%eth0]:22000", { host: "fe80::1%eth0", port: 22_000 }],
    ["ssh://me@gate:99/", { host: "gate", user: "me", port: 99 }],
  ])("is read from %s", (value, expected) => {
    expect(lastHop(value, plainEndpoint)).toMatchObject(expected);
  });

  it("takes neither key nor host keys from the host behind it, as ssh does not", () => {
    const behind = {
      ...plainEndpoint,
      identityFile: "/key",
      knownHostsFile: "/known",
      options: { Compression: "yes" },
    };
    expect(lastHop("gate", behind)).toMatchObject({
      identityFile: undefined,
      knownHostsFile: undefined,
      hostKeyPolicy: "strict",
      options: {},
    });
  });

  it("is nothing when the value makes no sense", () => {
    expect(lastHop("", plainEndpoint)).toBeUndefined();
    expect(lastHop("a:b:c", plainEndpoint)).toBeUndefined();
  });
});
