import { beforeEach, describe, expect, it } from "vitest";
import type { ToolResult } from "../../../src/base/tool-runner.ts";
import { createHostResolver, readSshConfiguration } from "../../../src/ssh/resolve-host.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";

const env = { HOME: "/home/me", SSH_AUTH_SOCK: "/run/agent" };
const read = (text: string, overrides = {}) => readSshConfiguration(text, { ...plainEndpoint, ...overrides }, env);

describe("reading the answer of ssh -G", () => {
  it("takes what the ssh configuration made of the host", () => {
    const host = read(
      [
        "user backup",
        "hostname 10.0.0.7",
        "port 2200",
        "addressfamily inet6",
        "hashknownhosts yes",
        "hostkeyalias vault",
        "identitiesonly yes",
        "identityfile ~/.ssh/id_rsa",
        "identityfile %d/keys/%r@%h",
        "userknownhostsfile /home/me/.ssh/known_hosts ~/.ssh/more",
        "globalknownhostsfile /etc/ssh/ssh_known_hosts",
      ].join("\n"),
    );
    expect(host).toEqual({
      givenHost: "backup01",
      hostname: "10.0.0.7",
      port: 2200,
      user: "backup",
      addressFamily: 6,
      hostKeyAlias: "vault",
      hashKnownHosts: true,
      userKnownHostsFiles: ["/home/me/.ssh/known_hosts", "/home/me/.ssh/more"],
      globalKnownHostsFiles: ["/etc/ssh/ssh_known_hosts"],
      identityFiles: ["/home/me/.ssh/id_rsa", "/home/me/keys/backup@backup01"],
      certificateFiles: [],
      gssapi: false,
      pkcs11: false,
      identitiesOnly: true,
      agentSocket: "/run/agent",
      proxy: undefined,
    });
  });

  it("takes the known_hosts file with a blank from the configuration, because ssh prints it unquoted", () => {
    const host = read("userknownhostsfile /a b/known", { knownHostsFile: "/a b/known" });
    expect(host.userKnownHostsFiles).toEqual(["/a b/known"]);
  });

  it.each([
    ["proxyjump gate", { option: "ProxyJump", value: "gate" }],
    ["proxycommand nc %h %p", { option: "ProxyCommand", value: "nc %h %p" }],
    ["proxyjump none\nproxycommand none", undefined],
  ])("sees that %j leads elsewhere", (text, proxy) => {
    expect(read(text).proxy).toEqual(proxy);
  });

  it.each([
    ["identityagent none", undefined],
    ["identityagent SSH_AUTH_SOCK", "/run/agent"],
    ["identityagent $SSH_AUTH_SOCK", "/run/agent"],
    ["identityagent ~/agent", "/home/me/agent"],
  ])("finds the agent of %j", (text, socket) => {
    expect(read(text).agentSocket).toBe(socket);
  });
});

describe("resolving hosts", () => {
  let clock: FakeClock;
  let calls: string[];
  let answer: ToolResult;
  beforeEach(() => {
    clock = new FakeClock();
    calls = [];
    answer = { exitCode: 0, stdout: "hostname h\nport 22\nuser u\n", stderr: "" };
  });
  const resolver = () =>
    createHostResolver({
      clock,
      env,
      runTool: (command) => {
        calls.push(command.join(" "));
        return Promise.resolve(answer);
      },
    });

  it("asks ssh with the words that rsync's ssh gets, and keeps the host apart from the options", async () => {
    await resolver().resolve({ ...plainEndpoint, user: "root", port: 2222 });
    expect(calls).toEqual([expect.stringMatching(/^ssh -G -o BatchMode=yes .* -p 2222 -- root@backup01$/)]);
  });

  it("asks once in ten minutes, also when asked twice at the same time", async () => {
    const hosts = resolver();
    await Promise.all([hosts.resolve(plainEndpoint), hosts.resolve({ ...plainEndpoint })]);
    await clock.advance(599_999);
    await hosts.resolve(plainEndpoint);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    await hosts.resolve(plainEndpoint);
    expect(calls).toHaveLength(2);
  });

  it("asks again after a connection failed", async () => {
    const hosts = resolver();
    await hosts.resolve(plainEndpoint);
    hosts.forget(plainEndpoint);
    await hosts.resolve(plainEndpoint);
    expect(calls).toHaveLength(2);
  });

  it("tells what ssh said, and does not remember it", async () => {
    const hosts = resolver();
    answer = { exitCode: 255, stdout: "", stderr: "noise\nhostname contains invalid characters\n" };
    const message = "ssh -G backup01: hostname contains invalid characters";
    expect(await hosts.resolve(plainEndpoint)).toEqual({ kind: "failed", message });
    answer = { exitCode: 0, stdout: "hostname h\n", stderr: "" };
    expect((await hosts.resolve(plainEndpoint)).kind).toBe("resolved");
  });
});
