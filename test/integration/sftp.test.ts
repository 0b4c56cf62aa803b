import { execa } from "execa";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { claimOf } from "../contract/lock-transport.contract.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { reach } from "../support/reach-transport.ts";
import { startSshd, type TestSshd, type TestSshdOptions } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;
const oneDayMs = 86_400_000;
const mine = "my-own-token-0123456789";
const theirs = "their-token-0123456789-";

async function take(transport: LockTransport, path: string, token = mine) {
  return (await transport.acquire({ claims: [claimOf(path, token)], thenCheck: [] }, never)).claims[0];
}

describe("an account that allows sftp only", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd({ config: ["ForceCommand internal-sftp"] });
  });
  afterAll(() => sshd.stop());

  it("gets its locks over sftp, and the log says why", async () => {
    const { transport, log } = reach(sshd);
    const directory = await makeTempDir();
    expect(await transport.probe([directory], never)).toMatchObject([
      { kind: "probed", mode: "sftp", exclusive: true, hardLinks: true, flock: null, permissions: 0o700 },
    ]);
    expect(log.lines).toContainEqual({
      level: "info",
      message: "no shell for lock files, sftp is used",
      fields: { host: "127.0.0.1", detail: expect.stringContaining("sftp connections only") },
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it("gives a sign of life by the server's clock, and only for its own lock", async () => {
    const { transport } = reach(sshd);
    const path = join(await makeTempDir(), "a.lock");
    await take(transport, path);
    await utimes(path, 1000, 1000);
    expect(await transport.beat([{ path, token: mine }], never)).toEqual([{ kind: "beaten" }]);
    expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(60_000);
    expect(await readFile(path, "utf8")).toBe(claimOf(path, mine).content);

    await utimes(path, 1000, 1000);
    expect(await transport.beat([{ path, token: theirs }], never)).toMatchObject([
      { kind: "lost", found: { mtime: 1000, record: { token: mine } } },
    ]);
    expect((await stat(path)).mtimeMs).toBe(1_000_000);
    expect(await transport.beat([{ path: `${path}2`, token: mine }], never)).toEqual([{ kind: "absent" }]);
  });

  it("exchanges the content of its own lock, and only for as many bytes", async () => {
    const { transport } = reach(sshd);
    const path = join(await makeTempDir(), "a.lock");
    const [claim, held] = (["claim", "held "] as const).map((job) => lockContent({ token: mine, job }));
    await transport.acquire({ claims: [{ path, token: mine, content: claim ?? "" }], thenCheck: [] }, never);
    expect(await transport.promote([{ path, token: mine, content: held ?? "" }], never)).toEqual([
      { kind: "promoted" },
    ]);
    expect(await readFile(path, "utf8")).toBe(held);
    const longer = lockContent({ token: mine, job: "a longer name" });
    expect(await transport.promote([{ path, token: mine, content: longer }], never)).toMatchObject([{ kind: "error" }]);
    expect(await transport.promote([{ path, token: theirs, content: held ?? "" }], never)).toMatchObject([
      { kind: "lost" },
    ]);
    expect(await readFile(path, "utf8")).toBe(held);
  });

  it("never breaks a lock, and cannot see kernel locks", async () => {
    const { transport } = reach(sshd);
    const path = join(await makeTempDir(), "a.lock");
    await take(transport, path, theirs);
    await transport.check([path], never);
    const stale = { path, token: theirs, mtime: 0 };
    expect(await transport.break(stale, never)).toMatchObject({ kind: "unsupported" });
    expect(await transport.breakForeign({ path, sha256: "0".repeat(64), mtime: 0 }, never)).toMatchObject({
      kind: "unsupported",
    });
    expect(await transport.holds([`${path}.hold`], never)).toMatchObject([{ kind: "error" }]);
    expect(await readFile(path, "utf8")).toContain(theirs);
  });

  it("tells a full disk from a lock that is held", async (context) => {
    const directory = join(await makeTempDir(), "tmpfs");
    await mkdir(directory);
    const mounted = await execa("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory], { reject: false });
    if (mounted.exitCode !== 0) return context.skip(`no tmpfs can be mounted here (${mounted.stderr})`);
    onTestFinished(async () => void (await execa("umount", ["--lazy", directory])));
    const { transport } = reach(sshd);
    const held = join(directory, "held.lock");
    expect(await take(transport, held)).toEqual({ kind: "acquired" });
    await execa("sh", ["-c", 'cat /dev/zero >"$1"', "fill", join(directory, "ballast")], { reject: false });
    expect(await take(transport, join(directory, "new.lock"))).toEqual({
      kind: "error",
      detail: "it could not be written: No space left on device",
    });
    expect(await take(transport, held, theirs)).toMatchObject({ kind: "held" });
    expect(await transport.beat([{ path: held, token: mine }], never)).toEqual([{ kind: "beaten" }]);
    expect(await transport.release([{ path: held, token: mine }], never)).toEqual([{ kind: "released" }]);
    expect(await readdir(directory)).toEqual(["ballast"]);
  });

  it("asks again for a removal that was put off because it could not be written down", async () => {
    const { transport } = reach(sshd);
    const path = join(await makeTempDir(), "a.lock");
    await take(transport, path);
    let isWritten = false;
    const lock = { path, token: mine, mayUnlink: () => Promise.resolve(isWritten) };
    expect(await transport.release([lock], never)).toMatchObject([{ kind: "error" }]);
    expect(await readFile(path, "utf8")).toContain(mine);
    isWritten = true;
    expect(await transport.release([lock], never)).toEqual([{ kind: "released" }]);
  });

  it("answers unknown when the server falls silent, and connects anew", async () => {
    const { transport } = reach(sshd, 3000);
    const path = join(await makeTempDir(), "a.lock");
    expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
    const { stdout } = await execa("pgrep", ["-P", String(sshd.pid)]);
    const stopped = stdout.split("\n").map(Number);
    for (const session of stopped) process.kill(session, "SIGSTOP");
    expect(await take(transport, path)).toMatchObject({ kind: "unknown", mayHaveRun: false });
    for (const session of stopped) process.kill(session, "SIGKILL");
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
  });
});

describe("accounts of other kinds", () => {
  const account = (...config: string[]) => accountOf({ config });
  const accountOf = async (options: TestSshdOptions) => {
    const sshd = await startSshd(options);
    onTestFinished(() => sshd.stop());
    let laterMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    const pass = (ms: number) => void (laterMs += ms);
    return {
      ...reach(sshd, 8000, clock),
      ...{ pass, sshd },
      path: join(await mkdtemp(join(await makeTempDir(), "locks ")), "a.lock"),
    };
  };
  const works = async ({ transport, path }: Awaited<ReturnType<typeof account>>) => {
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
    expect(await transport.check([path], never)).toMatchObject([{ kind: "held" }]);
    expect(await transport.release([{ path, token: mine }], never)).toEqual([{ kind: "released" }]);
    return (await transport.probe([join(path, "..")], never))[0];
  };

  it("is content with one session per connection, with a shell and without", async () => {
    expect(await works(await account("MaxSessions 1"))).toMatchObject({ mode: "full" });
    expect(await works(await account("MaxSessions 1", "ForceCommand internal-sftp"))).toMatchObject({ mode: "sftp" });
  });

  it("needs no sftp where there is a shell", async () => {
    expect(await works(await accountOf({ withoutSftp: true }))).toMatchObject({ mode: "full" });
  });

  it("survives new keys every 256 kB", async () => {
    for (const config of [[], ["ForceCommand internal-sftp"]]) {
      const { transport, path } = await account("RekeyLimit 256K", ...config);
      await writeFile(path, `${"x".repeat(4000)}\n`);
      const looks = Array.from({ length: 300 }, () => path);
      const seen = await transport.check(looks, never);
      expect(new Set(seen.map(({ kind }) => kind))).toEqual(new Set(["held"]));
    }
  });

  it("says what both say when there is neither", async () => {
    const refusing = 'ForceCommand echo "SSH_ORIGINAL_COMMAND does not run rsync" >&2; exit 1';
    const { transport, path, limit } = await account(refusing);
    const [answer] = await transport.check([path], never);
    expect(limit()).toMatchObject({ mode: "refused", detail: expect.stringMatching(/no sftp .*does not run rsync/) });
    expect(answer).toMatchObject({ kind: "error" });
    expect(JSON.stringify(answer)).toContain("does not run rsync");
    expect(JSON.stringify(answer)).toMatch(/no sftp/);
  });

  it.for(["tcsh", "fish", "bash", "dash"])("does not mind that the login shell is %s", async (shell, context) => {
    const found = await execa("which", [shell], { reject: false });
    if (found.exitCode !== 0) return context.skip(`${shell} is not installed here`);
    const login = `ForceCommand exec ${found.stdout} -c "$SSH_ORIGINAL_COMMAND"`;
    expect(await works(await account(login))).toMatchObject({ mode: "full" });
  });

  it("goes over sftp when the login shell is nologin", async () => {
    const login =
      'case "$SSH_ORIGINAL_COMMAND" in *sftp*) exec /usr/lib/openssh/sftp-server;; esac; exec /usr/sbin/nologin';
    expect(await works(await account(`ForceCommand ${login}`))).toMatchObject({ mode: "sftp" });
  });

  const withFailingShell = async () => {
    const failing = join(await makeTempDir(), "failing");
    const login = `case "$SSH_ORIGINAL_COMMAND" in *sftp*) exec /usr/lib/openssh/sftp-server;; esac; test ! -e ${failing} || exit 254; exec /bin/sh -s`;
    return { ...(await account(`ForceCommand ${login}`)), failing };
  };

  it("keeps over sftp after a restart what a shell has locked, whose writers it cannot see", async () => {
    const { transport, path, sshd, failing } = await withFailingShell();
    const content = lockContent({ token: mine, hold: true });
    await transport.acquire({ claims: [{ path, token: mine, content }], thenCheck: [] }, never);
    expect(await transport.holds([`${path}.hold`], never)).toEqual([{ kind: "free" }]);
    await writeFile(failing, "");
    const release = () => reach(sshd).transport.release([{ path, token: mine }], never);
    expect(await release()).toMatchObject([{ kind: "error", detail: expect.stringContaining("its shell back") }]);
    expect(await readFile(path, "utf8")).toBe(content);
    await rm(failing);
    expect(await release()).toEqual([{ kind: "released" }]);
  });

  it("does not believe that a shell that has answered is gone, such as for want of processes", async () => {
    const { transport, path, pass, sshd, failing } = await withFailingShell();
    const loseConnection = async () => {
      const { stdout } = await execa("pgrep", ["-P", String(sshd.pid)]);
      for (const session of stdout.split("\n")) process.kill(Number(session), "SIGKILL");
    };
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
    await writeFile(failing, "");
    await loseConnection();
    await expect
      .poll(() => transport.beat([{ path, token: mine }], never))
      .toMatchObject([{ kind: "unknown", detail: expect.stringContaining("the shell ended") }]);
    expect(await transport.release([{ path, token: mine }], never)).toMatchObject([{ kind: "unknown" }]);
    await rm(failing);
    expect(await transport.holds([`${path}.hold`], never)).toEqual([{ kind: "free" }]);

    await writeFile(failing, "");
    await loseConnection();
    pass(oneDayMs);
    await expect.poll(() => transport.probe([join(path, "..")], never)).toMatchObject([{ mode: "sftp" }]);
  });

  /** flock works as soon as there is a file `hasFlock`. Undefined: no mount namespace can be made here. */
  const withoutFlock = async () => {
    const directory = await makeTempDir();
    const [flock, real, hasFlock] = ["flock", "real", "yes"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const hide = `mount --bind ${flock} /usr/bin/flock`;
    await copyFile("/usr/bin/flock", real);
    await writeFile(flock, `#!/bin/sh\ntest -e ${hasFlock} && exec ${real} "$@"\nexit 1\n`, { mode: 0o755 });
    const hidden = await execa("unshare", ["-m", "sh", "-c", hide], { reject: false });
    if (hidden.exitCode !== 0) return undefined;
    const shell = `exec unshare -m sh -c "${hide}; exec /bin/sh -s"`;
    const command = `case "$SSH_ORIGINAL_COMMAND" in *sftp*) exec /usr/lib/openssh/sftp-server;; esac; ${shell}`;
    return { ...(await account(`ForceCommand ${command}`)), hasFlock };
  };
  it("stays with sftp for the locks of a host without flock, also after a day, until a probe finds flock", async (context) => {
    const host = await withoutFlock();
    if (host === undefined) return context.skip("no mount namespace can be made here");
    const { transport, path, pass, hasFlock, limit } = host;
    const directory = join(path, "..");
    await transport.probe([directory], never);
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
    pass(oneDayMs);
    expect(await transport.beat([{ path, token: mine }], never)).toEqual([{ kind: "beaten" }]);
    expect(await take(transport, `${path}2`, theirs)).toEqual({ kind: "acquired" });
    expect(await transport.probe([directory], never)).toMatchObject([{ mode: "sftp" }]);
    expect(await transport.release([{ path, token: mine }], never)).toEqual([{ kind: "released" }]);
    expect(limit()).toEqual({ mode: "sftp", detail: "the host has no working flock(1)" });

    await writeFile(hasFlock, "");
    pass(oneDayMs);
    expect(await transport.probe([directory], never)).toMatchObject([{ mode: "full" }]);
    expect(limit()).toBeUndefined();
    expect(await transport.release([{ path: `${path}2`, token: theirs }], never)).toEqual([{ kind: "released" }]);
  });

  it("goes over sftp when the host has no flock", async (context) => {
    const host = await withoutFlock();
    if (host === undefined) return context.skip("no mount namespace can be made here");
    const { transport, path, log } = host;
    expect(await transport.probe([join(path, "..")], never)).toMatchObject([{ kind: "probed", mode: "sftp" }]);
    expect(log.messages("info")).toContain("no shell for lock files, sftp is used");
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
  });
});
