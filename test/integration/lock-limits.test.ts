import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createRemoteTransport, type TransportLimit } from "../../src/lock/transport/remote-transport.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { reach } from "../support/instance.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { copyJob, runDaemonHere } from "../support/running-daemon.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

async function accountWith(...config: string[]): Promise<TestSshd> {
  const sshd = await startSshd({ config });
  onTestFinished(() => sshd.stop());
  return sshd;
}

describe("the status", () => {
  it("says of each job what its locks cannot do, as soon as that is known", async () => {
    const [sftp, rsyncOnly] = await Promise.all([
      accountWith("ForceCommand internal-sftp"),
      accountWith("ForceCommand echo only rsync; exit 1"),
    ]);
    const { control, instance, next } = await runDaemonHere((path) => {
      const local = (name: string) => ({ type: "local", path: path(name) });
      const over = (sshd: TestSshd) => {
        const lock = { type: "remote", path: path("locks", "remote"), ...reach(sshd) };
        return { ssh: { known_hosts_file: sshd.knownHostsFile }, hold_dir: path("locks"), lock };
      };
      const { lock: sftpLock, ...toSftp } = over(sftp);
      const { lock: refusedLock, ...toRefused } = over(rsyncOnly);
      return {
        jobs: [
          copyJob(path, { id: "fenced", lock_files: [local("locks/fenced")] }),
          copyJob(path, { id: "unfenced", lock_files: [local("locks/unfenced")], hold: "off" }),
          copyJob(path, { id: "lockless" }),
          copyJob(path, {
            id: "over-sftp",
            ...toSftp,
            lock_files: [sftpLock, { ...sftpLock, path: path("locks", "b") }],
          }),
          copyJob(path, { id: "waits", ...toSftp, blocks_on: [{ ...sftpLock, path: path("locks", "nobody's") }] }),
          copyJob(path, { id: "refused", ...toRefused, lock_files: [refusedLock] }),
          copyJob(path, { id: "open", lock_files: [local("open/lock")], hold: "off" }),
        ],
      };
    });
    await writeFile(instance.path("source/file"), "x");
    await mkdir(instance.path("open"));
    await chmod(instance.path("open"), 0o1777);
    const said = () => control.status().jobs.map(({ jobId, fencing, lockLimits }) => ({ jobId, fencing, lockLimits }));
    expect(said().map(({ fencing }) => fencing)).toEqual(Array.from({ length: 7 }, () => null));

    const finished = next("run:finished");
    control.run([], "anna");
    await finished;
    const fenced = { state: "fenced", reason: null };
    const switchedOff = { state: "unfenced", reason: "it is switched off (hold: off)" };
    const none = { state: "none", reason: null };
    const sftpOnly = { host: sftp.host, mode: "sftp", detail: expect.stringContaining("sftp connections only") };
    const detail = expect.stringMatching(/no sftp on .* no shell: .*only rsync/);
    const everybody = expect.stringMatching(/no locks can be kept in .*open: everybody may write there/);
    expect(said()).toEqual([
      { jobId: "fenced", fencing: fenced, lockLimits: [] },
      { jobId: "unfenced", fencing: switchedOff, lockLimits: [] },
      { jobId: "lockless", fencing: none, lockLimits: [] },
      { jobId: "over-sftp", fencing: fenced, lockLimits: [sftpOnly] },
      { jobId: "waits", fencing: none, lockLimits: [sftpOnly] },
      { jobId: "refused", fencing: null, lockLimits: [{ host: rsyncOnly.host, mode: "refused", detail }] },
      { jobId: "open", fencing: null, lockLimits: [{ host: null, mode: "refused", detail: everybody }] },
    ]);

    await chmod(instance.path("open"), 0o755);
    const again = next("run:finished");
    control.run(["open"], "anna");
    await again;
    expect(said().at(-1)).toEqual({ jobId: "open", fencing: switchedOff, lockLimits: [] });
  });
});

describe("the limit of a way to a lock host", () => {
  it("stays until a shell has answered, also while nobody does", async () => {
    const allowed = join(await makeTempDir(), "allowed");
    const sftp = 'case "$SSH_ORIGINAL_COMMAND" in *sftp*) exec /usr/lib/openssh/sftp-server;; esac';
    const shell = `test -e ${allowed} || { echo no shell here; exit 1; }; exec /bin/sh -s`;
    const endpoint = endpointOf(await accountWith(`ForceCommand ${sftp}; ${shell}`));
    let laterMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    const log = createMemoryLog();
    const pool = createConnectionPool({ runTool, startChild, clock: systemClock, log });
    onTestFinished(() => pool.close());
    let limit: TransportLimit | undefined;
    const onLimit = (found: TransportLimit | undefined) => void (limit = found);
    const transport = createRemoteTransport({ endpoint, pool, operationTimeoutMs: 8000, clock, log, onLimit });
    const path = join(await makeTempDir(), "a.lock");

    const { signal } = new AbortController();
    await transport.check([path], signal);
    const sftpOnly = { mode: "sftp", detail: expect.stringContaining("no shell here") };
    expect(limit).toEqual(sftpOnly);
    await writeFile(allowed, "");
    laterMs = 86_400_000;
    expect(await transport.check([path], AbortSignal.abort())).toMatchObject([{ kind: "unknown" }]);
    expect(limit).toEqual(sftpOnly);
    expect(await transport.check([path], signal)).toMatchObject([{ kind: "absent" }]);
    expect(limit).toBeUndefined();
  });
});
