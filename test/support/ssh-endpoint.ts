import type { SshEndpoint } from "../../src/config/resolved.ts";
import type { TestSshd } from "./sshd.ts";

/** An endpoint of which only the host is given. */
export const plainEndpoint: SshEndpoint = {
  host: "backup01",
  user: undefined,
  port: undefined,
  identityFile: undefined,
  knownHostsFile: undefined,
  hostKeyPolicy: "strict",
  connectTimeoutMs: 30_000,
  jumpHost: undefined,
  transport: "auto",
  options: {},
};

/** The account of a test sshd, as a configuration would name it. */
export function endpointOf(sshd: TestSshd, overrides: Partial<SshEndpoint> = {}): SshEndpoint {
  return {
    ...plainEndpoint,
    host: sshd.host,
    user: sshd.user,
    port: sshd.port,
    identityFile: sshd.identityFile,
    knownHostsFile: sshd.knownHostsFile,
    ...overrides,
  };
}
