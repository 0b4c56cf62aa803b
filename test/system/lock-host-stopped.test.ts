import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { claimOf } from "../contract/lock-transport.contract.ts";
import { openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { waitUntil } from "../support/process-state.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;
const token = "my-own-token-0123456789";

it.each([
  ["ssh", openSshWorld, {}],
  ["the ssh client", openSshWorld, { transport: "openssh" }],
  ["sftp", openSftpWorld, {}],
] as const)("a host whose sshd is stopped lets nobody in, and everybody when it goes on (%s)", async (_, open, how) => {
  const sshd = await startSshd();
  onTestFinished(() => sshd.stop());
  const world = await open(endpointOf(sshd, { connectTimeoutMs: 2000, ...how }));
  onTestFinished(() => world.close());
  const transport = await world.newTransport();
  const path = join(await makeTempDir(), "a.lock");
  const take = async () =>
    (await transport.acquire({ claims: [claimOf(path, token)], thenCheck: [] }, never)).claims[0];
  process.kill(sshd.pid, "SIGSTOP");
  onTestFinished(() => void process.kill(sshd.pid, "SIGCONT"));
  // The kernel takes the connection; nobody says a word on it.
  expect(await take()).toMatchObject({ kind: "unknown", mayHaveRun: false });
  process.kill(sshd.pid, "SIGCONT");
  // A slow machine may need longer than the way gives a login.
  await waitUntil("it lets in", async () => (await take())?.kind === "acquired");
  expect(await transport.release([{ path, token }], never)).toEqual([{ kind: "released" }]);
});
