import { execa } from "execa";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

function newPool() {
  const pool = createConnectionPool({ runTool, startChild, clock: systemClock, log: createMemoryLog() });
  onTestFinished(() => pool.close());
  return pool;
}

const nothing = () => Promise.resolve();
const keygen = (...words: string[]) => execa("ssh-keygen", ["-q", ...words]);

async function newKey(): Promise<string> {
  const file = join(await makeTempDir(), "key");
  await keygen("-t", "ed25519", "-N", "", "-f", file);
  return file;
}

describe("a server that drops connections at random", () => {
  it("is tried again, and never taken for one that refuses", async () => {
    const sshd = await startSshd({ config: ["MaxStartups 2:50:4"] });
    onTestFinished(() => sshd.stop());
    const kinds = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const pool = newPool();
        const seen: string[] = [];
        while (!seen.includes("done")) {
          seen.push((await pool.use(endpointOf(sshd), nothing)).kind);
        }
        return seen;
      }),
    );
    expect(kinds.flat()).not.toContain("refused");
  });
});

describe("a host that refuses", () => {
  it("is asked once, whoever asks, so that it does not ban this address", async () => {
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    const pool = newPool();
    const wrong = endpointOf(sshd, { identityFile: await newKey() });
    const logins = () => sshd.log().match(/Connection (?:closed|reset) by authenticating user/g)?.length ?? 0;
    const first = await Promise.all(Array.from({ length: 5 }, () => pool.use(wrong, nothing)));
    expect(new Set(first.map(({ kind }) => kind))).toEqual(new Set(["refused"]));
    for (let time = 0; time < 5; time += 1) {
      expect(await pool.use(wrong, nothing)).toMatchObject({
        kind: "refused",
        contacted: false,
        message: expect.stringContaining("not tried again for"),
      });
    }
    expect(logins()).toBeLessThanOrEqual(1);
    expect((await pool.use(endpointOf(sshd), nothing)).kind).toBe("done");
  });

  it("keeps its good key when it bans addresses", async (context) => {
    const { stderr } = await execa("/usr/sbin/sshd", ["-V"], { reject: false });
    const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(stderr) ?? [];
    if (Number(major) * 100 + Number(minor) < 908) {
      return context.skip(`PerSourcePenalties needs OpenSSH 9.8, here is ${major}.${minor}`);
    }
    const sshd = await startSshd({ config: ["PerSourcePenalties authfail:5 noauth:1 min:10 max:60"] });
    onTestFinished(() => sshd.stop());
    const pool = newPool();
    const wrong = endpointOf(sshd, { identityFile: await newKey() });
    for (let time = 0; time < 20; time += 1) await pool.use(wrong, nothing);
    expect((await pool.use(endpointOf(sshd), nothing)).kind).toBe("done");
  });
});

describe("a host that lost the kind of key it was known by", () => {
  it.each(["ssh2", "openssh"] as const)("is refused over %s, also where new hosts are accepted", async (transport) => {
    const first = await startSshd();
    onTestFinished(() => first.stop());
    const known = join(await makeTempDir(), "known_hosts");
    const ecdsa = join(await makeTempDir(), "host_key");
    await keygen("-t", "ecdsa", "-N", "", "-f", ecdsa);
    const key = (await readFile(join(first.directory, "host_key.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
    const sshd = await startSshd({
      directory: first.directory,
      config: [`HostKey ${ecdsa}`, "HostKeyAlgorithms ecdsa-sha2-nistp256"],
    });
    onTestFinished(() => sshd.stop());
    await writeFile(known, `[127.0.0.1]:${sshd.port} ${key}\n`);
    const endpoint = endpointOf(sshd, { knownHostsFile: known, transport, hostKeyPolicy: "accept-new" });
    expect(await newPool().use(endpoint, nothing)).toMatchObject({ kind: "refused", contacted: true });
    expect((await readFile(known, "utf8")).split("\n")).toHaveLength(2);
  });
});
