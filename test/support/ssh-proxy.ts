import { writeFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { type DelayProxy, startDelayProxy, type ProxyRules } from "./delay-proxy.ts";
import { endpointOf } from "./ssh-endpoint.ts";
import { sshPackets } from "./ssh-packets.ts";
import type { TestSshd } from "./sshd.ts";
import { makeTempDir } from "./temp-dir.ts";

/**
 * A proxy in front of a test sshd for one test, message by message when the sshd has `gcmOnly`, with the
 * endpoint that leads through it.
 */
export async function startSshProxy(
  sshd: TestSshd,
  rules: Partial<ProxyRules> = {},
): Promise<{ proxy: DelayProxy; endpoint: (overrides?: Partial<SshEndpoint>) => SshEndpoint }> {
  const proxy = await startDelayProxy({ ...rules, target: { host: sshd.host, port: sshd.port }, split: sshPackets });
  onTestFinished(() => proxy.close());
  const knownHostsFile = join(await makeTempDir(), "known_hosts");
  const known = await readFile(sshd.knownHostsFile, "utf8");
  await writeFile(knownHostsFile, known.replace(`:${sshd.port} `, `:${proxy.port} `));
  return {
    proxy,
    endpoint: (overrides = {}) => endpointOf(sshd, { port: proxy.port, knownHostsFile, ...overrides }),
  };
}
