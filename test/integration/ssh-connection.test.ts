import { execa } from "execa";
import { once } from "node:events";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { joinRemoteShell } from "../../src/rsync/command.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { sshCommand } from "../../src/ssh/ssh-arguments.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { freePort, startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

async function connect(endpoint: SshEndpoint) {
  const pool = createConnectionPool({ runTool, startChild, clock: systemClock, log: createMemoryLog() });
  onTestFinished(() => pool.close());
  const result = await pool.use(endpoint, (connection) => Promise.resolve(connection.name));
  return result.kind === "done" ? { kind: "connected", message: result.value } : result;
}

describe("connecting to a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  const knownHosts = async (text: string) => {
    const file = join(await makeTempDir(), "known hosts");
    await writeFile(file, text);
    return file;
  };
  const hostKey = async () => {
    const [type, key] = (await readFile(join(sshd.directory, "host_key.pub"), "utf8")).split(" ");
    return `${type} ${key}`;
  };

  it("logs in with the key of the endpoint", async () => {
    expect(await connect(endpointOf(sshd))).toEqual({
      kind: "connected",
      message: `${sshd.user}@127.0.0.1:${sshd.port}`,
    });
  });

  it("finds a hashed name, a name without the port, and an alias", async () => {
    const hashed = await knownHosts(`[127.0.0.1]:${sshd.port} ${await hostKey()}\n`);
    await execa("ssh-keygen", ["-H", "-f", hashed]);
    expect(await readFile(hashed, "utf8")).toMatch(/^\|1\|/);
    expect((await connect(endpointOf(sshd, { knownHostsFile: hashed }))).kind).toBe("connected");
    const bare = await knownHosts(`127.0.0.1 ${await hostKey()}\n`);
    expect((await connect(endpointOf(sshd, { knownHostsFile: bare }))).kind).toBe("connected");
    const alias = await knownHosts(`vault ${await hostKey()}\n`);
    const options = { HostKeyAlias: "vault" };
    expect((await connect(endpointOf(sshd, { knownHostsFile: alias, options }))).kind).toBe("connected");
  });

  it("refuses a changed host key, naming the file and the remedy", async () => {
    const other = join(await makeTempDir(), "other");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);
    const key = (await readFile(`${other}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
    const file = await knownHosts(`[127.0.0.1]:${sshd.port} ${key}\n`);
    for (const hostKeyPolicy of ["strict", "accept-new"] as const) {
      const result = await connect(endpointOf(sshd, { knownHostsFile: file, hostKeyPolicy }));
      expect(result.kind).toBe("refused");
      expect(result.message).toContain(`CHANGED: ${file} line 1`);
      expect(result.message).toContain("-R '[127.0.0.1]:");
    }
  });

  it("refuses a host that is known by another kind of key only", async () => {
    const other = join(await makeTempDir(), "other");
    await execa("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", other]);
    const key = (await readFile(`${other}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
    const file = await knownHosts(`[127.0.0.1]:${sshd.port} ${key}\n`);
    const result = await connect(endpointOf(sshd, { knownHostsFile: file, hostKeyPolicy: "accept-new" }));
    expect(result).toMatchObject({ kind: "refused", message: expect.stringContaining("another kind") });
  });

  it("refuses a revoked key and an unknown host", async () => {
    const revoked = await knownHosts(`@revoked * ${await hostKey()}\n[127.0.0.1]:${sshd.port} ${await hostKey()}\n`);
    expect(await connect(endpointOf(sshd, { knownHostsFile: revoked }))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("@revoked"),
    });
    const missing = join(await makeTempDir(), "none");
    expect(await connect(endpointOf(sshd, { knownHostsFile: missing }))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining(`add the key to ${missing}`),
    });
  });

  it("files the key of a new host when told to, so that ssh itself knows it", async () => {
    const file = await knownHosts("elsewhere ssh-ed25519 AAAA");
    const endpoint = endpointOf(sshd, { knownHostsFile: file, hostKeyPolicy: "accept-new" });
    expect((await connect(endpoint)).kind).toBe("connected");
    const strict = endpointOf(sshd, { knownHostsFile: file });
    expect((await connect(strict)).kind).toBe("connected");
    const [ssh, ...args] = sshCommand(strict);
    const { stdout } = await execa(ssh, [...args, "--", `${sshd.user}@127.0.0.1`, "echo connected"]);
    expect(stdout).toContain("connected");
  });

  it("says what is wrong with a key", async () => {
    const directory = await makeTempDir();
    const open = join(directory, "open");
    await copyFile(sshd.identityFile, open);
    await chmod(open, 0o644);
    const result = await connect(endpointOf(sshd, { identityFile: open }));
    expect(result).toMatchObject({ kind: "refused", message: expect.stringMatching(/mode 0644.*chmod 600/) });

    const locked = join(directory, "locked");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked]);
    expect(await connect(endpointOf(sshd, { identityFile: locked }))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("passphrase"),
    });

    const wrong = join(directory, "wrong");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", wrong]);
    expect(await connect(endpointOf(sshd, { identityFile: wrong }))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("refused the login"),
    });
  });

  it("uses the agent when there is one", async () => {
    const socket = join(await makeTempDir(), "agent");
    const { stdout } = await execa("ssh-agent", ["-a", socket]);
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
    onTestFinished(() => void process.kill(pid, "SIGTERM"));
    await execa("ssh-add", [sshd.identityFile], { env: { SSH_AUTH_SOCK: socket } });
    const endpoint = endpointOf(sshd, { identityFile: undefined, options: { IdentityAgent: socket } });
    expect((await connect(endpoint)).kind).toBe("connected");
  });

  it("gives rsync a remote shell that works, whatever the file names contain", async () => {
    const directory = await makeTempDir();
    const identityFile = join(directory, "it's my key");
    await copyFile(sshd.identityFile, identityFile);
    const knownHostsFile = await knownHosts(`[127.0.0.1]:${sshd.port} ${await hostKey()}\n`);
    await writeFile(join(directory, "file"), "content");
    const shell = joinRemoteShell(sshCommand(endpointOf(sshd, { identityFile, knownHostsFile })));
    const copy = `${sshd.user}@127.0.0.1:${directory}/copy`;
    await execa("rsync", ["-a", "-e", shell, "--", join(directory, "file"), copy]);
    expect(await readFile(join(directory, "copy"), "utf8")).toBe("content");
  });
});

describe("connecting to nobody", () => {
  it("says at once that a connection was refused", async () => {
    const port = await freePort();
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    expect(await connect(endpointOf(sshd, { port }))).toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("gives up on a server that ends the connection without a word", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    const { port } = server.address() as { port: number };
    expect(await connect(endpointOf(sshd, { port }))).toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/lost before handshake|closed the connection/),
    });
  });
});
