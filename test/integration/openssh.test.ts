import { execa } from "execa";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { processesMentioning, waitUntil } from "../support/process-state.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { freePort, startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

function newPool() {
  const log = createMemoryLog();
  const pool = createConnectionPool({ runTool, startChild, clock: systemClock, log });
  onTestFinished(() => pool.close());
  return { pool, log };
}

/** What carries the connection and what a shell on it says, or why there is none. */
async function connect(endpoint: SshEndpoint) {
  const { pool } = newPool();
  const used = await pool.use(endpoint, async (connection) => {
    const shell = await connection.openShell(5000);
    const said = new Promise((resolve) => shell.onOutput(resolve));
    shell.write("echo hello\n");
    return { carrier: connection.carrier, said: await said };
  });
  return used.kind === "done" ? used.value : used;
}

const keygen = (...words: string[]) => execa("ssh-keygen", ["-q", ...words]);

describe("the ssh client as the way to a shell", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  it("follows a ProxyCommand", async () => {
    const relay = "const s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)";
    const options = { ProxyCommand: `${process.execPath} -e "${relay}"` };
    expect(await connect(endpointOf(sshd, { options }))).toEqual({
      carrier: { name: "openssh", reason: "a ProxyCommand leads there" },
      said: "hello\n",
    });
    expect(await connect(endpointOf(sshd, { options, transport: "ssh2" }))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("set transport to auto"),
    });
  });

  it("is used when the configuration says so, and says once why", async () => {
    const { pool, log } = newPool();
    const endpoint = endpointOf(sshd, { transport: "openssh" });
    for (let time = 0; time < 2; time += 1) {
      await pool.use(endpoint, (connection) => Promise.resolve(connection.destroy("enough")));
    }
    expect(log.lines.filter(({ level }) => level === "info")).toEqual([
      {
        level: "info",
        message: "the ssh client carries the lock connections",
        fields: { host: "127.0.0.1", reason: "the configuration says so" },
      },
    ]);
  });

  it("finds a locked key in the agent", async () => {
    const directory = await makeTempDir();
    const locked = join(directory, "locked");
    await copyFile(sshd.identityFile, locked);
    await chmod(locked, 0o600);
    await keygen("-p", "-P", "", "-N", "secret", "-f", locked);
    await writeFile(`${locked}.pub`, await readFile(`${sshd.identityFile}.pub`));
    const socket = join(directory, "agent");
    const { stdout } = await execa("ssh-agent", ["-a", socket]);
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
    onTestFinished(() => void process.kill(pid, "SIGTERM"));
    await execa("ssh-add", [sshd.identityFile], { env: { SSH_AUTH_SOCK: socket } });
    const endpoint = endpointOf(sshd, { identityFile: locked, options: { IdentityAgent: socket } });
    expect(await connect(endpoint)).toMatchObject({
      carrier: { name: "openssh", reason: expect.stringContaining("the agent may have it") },
      said: "hello\n",
    });
  });

  it("tells what a person has to put right from what may pass", async () => {
    const directory = await makeTempDir();
    const wrong = join(directory, "wrong");
    await keygen("-t", "ed25519", "-N", "", "-f", wrong);
    const nobody = join(directory, "known_hosts");
    await writeFile(nobody, "");
    const changed = join(directory, "changed");
    const key = (await readFile(`${wrong}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
    await writeFile(changed, `[127.0.0.1]:${sshd.port} ${key}\n`);
    const through = (overrides: Partial<SshEndpoint>) =>
      connect(endpointOf(sshd, { transport: "openssh", ...overrides }));
    expect(await through({ identityFile: wrong })).toMatchObject({
      kind: "refused",
      contacted: true,
      message: expect.stringContaining("Permission denied"),
    });
    expect(await through({ knownHostsFile: nobody })).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("the host key is not known"),
    });
    expect(await through({ knownHostsFile: changed })).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(new RegExp(`the host key has CHANGED.*${changed}:1`)),
    });
    expect(await through({ port: await freePort() })).toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("Connection refused"),
    });
  });

  it("is gone when the connection is ended", async () => {
    const { pool } = newPool();
    const knownHostsFile = join(await makeTempDir(), "known_hosts");
    await copyFile(sshd.knownHostsFile, knownHostsFile);
    await pool.use(endpointOf(sshd, { transport: "openssh", knownHostsFile }), async (connection) => {
      expect(processesMentioning(knownHostsFile)).not.toEqual([]);
      const cause = new Promise((resolve) => connection.onClosed(resolve));
      connection.destroy("enough");
      expect(await cause).toBe("enough");
    });
    await waitUntil("the ssh client has ended", () => processesMentioning(knownHostsFile).length === 0);
  });
});

describe("certificates", () => {
  it("logs in with a certificate beside the key, or one that is named", async () => {
    const directory = await makeTempDir();
    const [authority, key] = [join(directory, "ca"), join(directory, "key")];
    await keygen("-t", "ed25519", "-N", "", "-f", authority);
    await keygen("-t", "ed25519", "-N", "", "-f", key);
    const sshd = await startSshd({ config: ["AuthorizedKeysFile none", `TrustedUserCAKeys ${authority}.pub`] });
    onTestFinished(() => sshd.stop());
    await keygen("-s", authority, "-I", "test", "-n", sshd.user, `${key}.pub`);
    expect(await connect(endpointOf(sshd, { identityFile: key }))).toMatchObject({
      carrier: { name: "openssh", reason: `${key}-cert.pub is a certificate` },
    });
    const elsewhere = join(await makeTempDir(), "certificate");
    await copyFile(`${key}-cert.pub`, elsewhere);
    const options = { CertificateFile: elsewhere };
    const named = endpointOf(sshd, { identityFile: key, options });
    expect(await connect(named)).toMatchObject({ carrier: { reason: `CertificateFile ${elsewhere}` } });
  });

  it("trusts a host by its certificate when only the authority is known", async () => {
    const directory = await makeTempDir();
    const authority = join(directory, "ca");
    await keygen("-t", "ed25519", "-N", "", "-f", authority);
    const first = await startSshd();
    onTestFinished(() => first.stop());
    await keygen("-s", authority, "-I", "test", "-h", "-n", "127.0.0.1", join(first.directory, "host_key.pub"));
    const certificate = join(first.directory, "host_key-cert.pub");
    const sshd = await startSshd({ directory: first.directory, config: [`HostCertificate ${certificate}`] });
    onTestFinished(() => sshd.stop());
    const knownHostsFile = join(directory, "known_hosts");
    await writeFile(knownHostsFile, `@cert-authority * ${await readFile(`${authority}.pub`, "utf8")}`);
    expect(await connect(endpointOf(sshd, { knownHostsFile }))).toMatchObject({
      carrier: { name: "openssh", reason: expect.stringContaining("@cert-authority") },
      said: "hello\n",
    });
    expect(await connect(endpointOf(sshd, { knownHostsFile, transport: "ssh2" }))).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("@cert-authority"),
    });
  });
});

describe("a server with newer key exchanges than ssh2 knows", () => {
  it("is reached with the ssh client", async () => {
    const sshd = await startSshd({ config: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] });
    onTestFinished(() => sshd.stop());
    expect(await connect(endpointOf(sshd))).toMatchObject({
      carrier: { name: "openssh", reason: expect.stringContaining("key exchange") },
      said: "hello\n",
    });
  });
});
