import { describe, expect, it } from "vitest";
import type { SshEndpoint } from "../../../src/config/resolved.ts";
import {
  masterCheckCommand,
  masterCommand,
  masterProbeCommand,
  sshCommand,
  sshDestination,
  sshThroughMaster,
} from "../../../src/ssh/ssh-arguments.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";

const words = (overrides: Partial<SshEndpoint>) => sshCommand({ ...plainEndpoint, ...overrides }).join(" ");

describe("the ssh command of an endpoint", () => {
  it("never asks anybody anything and notices a dead connection", () => {
    expect(words({})).toBe(
      "ssh -o BatchMode=yes -o ConnectTimeout=30 -o StrictHostKeyChecking=yes -o ServerAliveInterval=15 -o ServerAliveCountMax=4",
    );
  });

  it("names port, key and known_hosts file, and then uses that key alone", () => {
    const command = words({ port: 2222, identityFile: "/keys/backup", knownHostsFile: "/etc/known" });
    expect(command).toContain("-o UserKnownHostsFile=/etc/known");
    expect(command).toMatch(/-i \/keys\/backup -o IdentitiesOnly=yes -p 2222$/);
  });

  it("lets the operator's options win over our defaults but not over what must hold", () => {
    const options = { ServerAliveInterval: "5", StrictHostKeyChecking: "no", Ciphers: "aes128-ctr" };
    const command = words({ options, hostKeyPolicy: "accept-new" });
    expect(command.indexOf("StrictHostKeyChecking=accept-new")).toBeLessThan(
      command.indexOf("StrictHostKeyChecking=no"),
    );
    expect(command.indexOf("ServerAliveInterval=5")).toBeLessThan(command.indexOf("ServerAliveInterval=15"));
    expect(command).toContain("-o Ciphers=aes128-ctr");
  });

  it("quotes a file name with blanks for ssh's own parser", () => {
    const command = sshCommand({ ...plainEndpoint, knownHostsFile: "/my files/100%" });
    expect(command).toContain('UserKnownHostsFile="/my files/100%%"');
  });

  it("rounds a connect timeout up to whole seconds", () => {
    expect(words({ connectTimeoutMs: 1500 })).toContain("ConnectTimeout=2");
  });

  it("leaves the user to the ssh configuration when none is given", () => {
    expect(sshDestination({ ...plainEndpoint, user: undefined })).toBe("backup01");
    expect(sshDestination({ ...plainEndpoint, user: "root" })).toBe("root@backup01");
  });
});

describe("the ssh commands around a shared connection", () => {
  const endpoint = { ...plainEndpoint, user: "backup", options: { ControlPath: "none" }, jumpHost: "gate" };
  const socket = "/run/my sockets/100%";

  it("quote the socket's name, and let no option of the operator's undo it", () => {
    const [, ...args] = sshThroughMaster(endpoint, socket);
    expect(args.slice(0, 4)).toEqual(["-o", "ControlMaster=no", "-o", 'ControlPath="/run/my sockets/100%%"']);
    expect(args.slice(4)).toEqual(sshCommand(endpoint).slice(1));
  });

  it("log in on the very way of the syncs, for a connection and nothing else", () => {
    const words = masterCommand(endpoint, socket);
    expect(words.slice(0, 4)).toEqual(["ssh", "-N", "-n", "-T"]);
    expect(words.join(" ")).toContain("ControlMaster=yes");
    expect(words.join(" ")).toContain("ControlPersist=no");
    expect(words.slice(-4)).toEqual(["-J", "gate", "--", "backup@backup01"]);
  });

  it.each([
    ["check", masterCheckCommand],
    ["prove", masterProbeCommand],
  ])("%s it without any other way to the host", (_, build) => {
    const words = build(endpoint, socket);
    expect(words).toContain("ProxyCommand=false");
    expect(words).not.toContain("-J");
  });
});
