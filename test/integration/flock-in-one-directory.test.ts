import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createProbedTransport } from "../../src/lock/transport/probe.ts";
import { claimOf } from "../contract/lock-transport.contract.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { reach } from "../support/reach-transport.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;
const token = "my-own-token-0123456789";

/** A host where flock fails in directories called `flockless`. Undefined: no mount namespace can be made here. */
async function startHost() {
  const directory = await makeTempDir();
  const at = (name: string) => join(directory, name);
  for (const name of ["locks", "flockless"]) await mkdir(at(name));
  await copyFile("/usr/bin/flock", at("real"));
  const flock = `#!/bin/sh\nls -l /proc/self/fd | grep -q /flockless/ && exit 1\nexec ${at("real")} "$@"\n`;
  await writeFile(at("flock"), flock, { mode: 0o755 });
  const hide = `mount --bind ${at("flock")} /usr/bin/flock`;
  const hidden = await execa("unshare", ["-m", "sh", "-c", hide], { reject: false });
  if (hidden.exitCode !== 0) return undefined;
  const shell = `exec unshare -m sh -c "${hide}; exec /bin/sh -s"`;
  const command = `case "$SSH_ORIGINAL_COMMAND" in *sftp*) exec /usr/lib/openssh/sftp-server;; esac; ${shell}`;
  const sshd = await startSshd({ config: [`ForceCommand ${command}`] });
  onTestFinished(() => sshd.stop());
  return { ...reach(sshd), locks: at("locks"), flockless: at("flockless") };
}

it("has no locks where flock does not work, and keeps those in the other directories of the host", async (context) => {
  const host = await startHost();
  if (host === undefined) return context.skip("no mount namespace can be made here");
  const { transport, limit, locks, flockless } = host;
  const path = join(locks, "a.lock");
  const content = lockContent({ token, hold: true });
  const taken = await transport.acquire({ claims: [{ path, token, content }], thenCheck: [] }, never);
  expect(taken.claims).toEqual([{ kind: "acquired" }]);
  expect(await transport.holds([`${path}.hold`], never)).toEqual([{ kind: "free" }]);

  const probed = createProbedTransport({ transport, clock: systemClock, allows: () => undefined });
  const claims = [claimOf(join(flockless, "b.lock"), token)];
  expect((await probed.acquire({ claims, thenCheck: [] }, never)).claims).toEqual([
    { kind: "error", detail: `no locks can be kept in ${flockless}: flock(1) does not work there` },
  ]);
  expect(await readdir(flockless)).toEqual([]);
  expect(limit()).toBeUndefined();

  expect(await transport.beat([{ path, token }], never)).toEqual([{ kind: "beaten" }]);
  expect(await transport.release([{ path, token }], never)).toEqual([{ kind: "released" }]);
});
