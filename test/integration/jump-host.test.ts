import { execa } from "execa";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { createSshTransport } from "../../src/lock/transport/ssh-transport.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { sshCommand, sshDestination } from "../../src/ssh/ssh-arguments.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { plainEndpoint } from "../support/ssh-endpoint.ts";
import { hostSection, programsWithSshConfig } from "../support/ssh-config.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;

describe("a host behind a jump host", () => {
  let gate: TestSshd;
  let middle: TestSshd;
  let target: TestSshd;
  beforeAll(async () => {
    [gate, middle, target] = await Promise.all([startSshd(), startSshd(), startSshd()]);
  });
  afterAll(async () => void (await Promise.all([gate, middle, target].map((sshd) => sshd.stop()))));

  /** The names `gate`, `middle` and `target` lead to the three; a later section of a name adds nothing. */
  const open = async (...first: string[]) => {
    const sections = [
      ...first,
      hostSection("gate", gate),
      hostSection("middle", middle),
      hostSection("target", target),
    ];
    const programs = await programsWithSshConfig(sections.join(""));
    const log = createMemoryLog();
    const pool = createConnectionPool({ ...programs, clock: systemClock, log });
    onTestFinished(() => pool.close());
    const connect = async (overrides: Partial<SshEndpoint>) => {
      const endpoint: SshEndpoint = { ...plainEndpoint, host: "target", connectTimeoutMs: 5000, ...overrides };
      const result = await pool.use(endpoint, (connection) => Promise.resolve(connection.carrier.name));
      return result.kind === "done" ? result.value : result;
    };
    return { ...programs, log, pool, connect };
  };
  const sessionsOf = async (sshd: TestSshd) => {
    const { stdout } = await execa("pgrep", ["-P", String(sshd.pid)], { reject: false });
    return stdout.split("\n").filter(Boolean).map(Number);
  };

  it("is reached through it, over the host's own connection", async () => {
    const { connect } = await open();
    expect(await connect({ jumpHost: "gate" })).toBe("ssh2");
    expect(await sessionsOf(gate)).not.toEqual([]);
    expect(target.log()).toContain("Accepted publickey");
  });

  it("is reached through several, from the key of the configuration or the ssh configuration", async () => {
    const several = await open();
    expect(await several.connect({ jumpHost: "gate,middle" })).toBe("ssh2");
    expect(await sessionsOf(middle)).not.toEqual([]);
    const configured = await open(
      hostSection("target", target, "ProxyJump middle"),
      hostSection("middle", middle, "ProxyJump gate"),
    );
    expect(await configured.connect({})).toBe("ssh2");
  });

  it("shares the connection to the jump host", async () => {
    const { connect } = await open();
    const before = (await sessionsOf(gate)).length;
    expect(await connect({ jumpHost: "gate" })).toBe("ssh2");
    expect(await connect({ host: "middle", jumpHost: "gate" })).toBe("ssh2");
    expect((await sessionsOf(gate)).length - before).toBe(1);
  });

  it("is the same for ssh itself", async () => {
    const { file } = await open();
    const endpoint: SshEndpoint = { ...plainEndpoint, host: "target", jumpHost: "gate" };
    const [ssh, ...args] = sshCommand(endpoint);
    const { stdout } = await execa(ssh, ["-F", file, ...args, "--", sshDestination(endpoint), "echo $SSH_CONNECTION"]);
    expect(stdout).toContain(`127.0.0.1 ${target.port}`);
  });

  it("is refused when the key of either is not known, naming the one", async () => {
    const nobody = join(await makeTempDir(), "known_hosts");
    await writeFile(nobody, "");
    const strangers = { ...gate, knownHostsFile: nobody };
    const badGate = await open(hostSection("gate", strangers));
    expect(await badGate.connect({ jumpHost: "gate" })).toMatchObject({
      kind: "refused",
      contacted: false,
      message: expect.stringMatching(/jump host gate: the host key of \[127\.0\.0\.1\]:\d+ is not known/),
    });
    const badTarget = await open(hostSection("target", { ...target, knownHostsFile: nobody }));
    expect(await badTarget.connect({ jumpHost: "gate" })).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(new RegExp(`^the host key of \\[127\\.0\\.0\\.1\\]:${target.port} is not known`)),
    });
  });

  it("is unreachable when the jump host does not forward", async () => {
    const closed = await startSshd({ config: ["AllowTcpForwarding no"] });
    onTestFinished(() => closed.stop());
    const { connect } = await open(hostSection("closed", closed));
    expect(await connect({ jumpHost: "closed" })).toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/cannot connect to .* through .* may not forward/),
    });
  });

  it("is left to the ssh client when the jump host needs that", async () => {
    const proxy = `ProxyCommand ${process.execPath} -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)"`;
    const { connect, log } = await open(hostSection("gate", gate, proxy));
    expect(await connect({ jumpHost: "gate" })).toBe("openssh");
    expect(log.lines).toContainEqual({
      level: "info",
      message: "the ssh client carries the lock connections",
      fields: { host: "target", reason: expect.stringContaining("a ProxyCommand leads there") },
    });
  });

  it("is refused when the jump hosts go round in a circle", async () => {
    const { connect } = await open(
      hostSection("gate", gate, "ProxyJump middle"),
      hostSection("middle", middle, "ProxyJump gate"),
    );
    expect(await connect({ jumpHost: "gate" })).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("in a circle"),
    });
  });

  it("answers unknown when the jump host dies, and is reached again when that is back", async () => {
    const ownGate = await startSshd();
    onTestFinished(() => ownGate.stop());
    const { pool } = await open(hostSection("own", ownGate));
    const endpoint: SshEndpoint = { ...plainEndpoint, host: "target", jumpHost: "own", connectTimeoutMs: 5000 };
    const log = createMemoryLog();
    const transport = createSshTransport({ endpoint, pool, operationTimeoutMs: 8000, clock: systemClock, log });
    const path = join(await makeTempDir(), "a.lock");
    expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
    const ended = await pool.use(endpoint, async (connection) => {
      const cause = new Promise((resolve) => connection.onClosed(resolve));
      for (const session of await sessionsOf(ownGate)) process.kill(session, "SIGKILL");
      return cause;
    });
    expect(ended.kind).toBe("done");
    expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
  });
});
