import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runLocksBreak, type LocksBreakOptions } from "../../src/cli/commands/locks-break.ts";
import { runLocks } from "../../src/cli/commands/locks.ts";
import { runProgram } from "../../src/cli/program.ts";
import { formatLockContent, type LockRecord } from "../../src/lock/lock-record.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { TextSink } from "../support/text-sink.ts";

const token = "B".repeat(22);
const record: LockRecord = {
  ...{ v: 1, token, state: "held", rank: `ffff${token}`, job: "nightly", run: "r1", hb: 30, ttl: 600, hold: false },
  owner: { inst: "i", name: "desk", host: "desk", machine: "m", boot: "b", pid: 4711, start: 1 },
  created: "2026-03-01T11:50:00.000Z",
};

/** A configuration whose jobs wait for the given locks. */
async function writeConfig(locks: readonly object[], directory: string, ssh: object = {}): Promise<string> {
  const file = join(directory, "config.yaml");
  const action = { action: "command", id: "c", command: "true" };
  const jobs = [{ id: "waits", type: "local", blocks_on: locks, actions: [action] }];
  await writeFile(file, JSON.stringify({ rsync_id: "test", state_dir: directory, ssh, jobs }), { mode: 0o600 });
  return file;
}

async function run(work: (context: Parameters<typeof runLocks>[1]) => Promise<void>) {
  const [stdout, stderr] = [new TextSink({ isTTY: true }), new TextSink()];
  let exit = 0;
  await work({ env: {}, stdout, stderr, finish: (code) => void (exit = code) });
  return { exit, out: stdout.text, err: stderr.text };
}

const list = (file: string, bounds = {}) => run((context) => runLocks({ config: [file] }, context, bounds));
const breakLock = (name: string, file: string, options: LocksBreakOptions, ask?: () => Promise<string>) =>
  run((context) => runLocksBreak(name, { config: [file], ...options }, context, { ask }));

describe("locks break on this host", () => {
  const place = async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "locks"), { mode: 0o755 });
    const path = join(directory, "locks", "data");
    return { path, file: await writeConfig([{ type: "local", path }], directory), locks: join(directory, "locks") };
  };

  it("says what to make sure of, and does nothing unless it is told yes", async () => {
    const { path, file } = await place();
    await writeFile(path, formatLockContent(record));
    const no = await breakLock(path, file, {}, () => Promise.resolve("y"));
    expect(no).toMatchObject({ exit: 1, err: `${path}: you did not say yes, so nothing was done\n` });
    expect(no.out).toContain("held by job nightly of desk on desk, process 4711");
    expect(no.out).toContain("CANNOT BE TOLD");
    expect(no.out).not.toMatch(/\bsafe\b/);
    expect(await readFile(path, "utf8")).toContain(token);
    expect(await breakLock(path, file, {}, () => Promise.resolve("yes"))).toMatchObject({ exit: 0 });
  });

  it("does nothing when the lock has given a sign of life, or is another's, since it was shown", async () => {
    const { path, file } = await place();
    await writeFile(path, formatLockContent(record));
    const beat = await breakLock(path, file, {}, async () => {
      await utimes(path, new Date(), new Date(Date.now() + 5000));
      return "yes";
    });
    expect(beat).toMatchObject({ exit: 1, err: expect.stringContaining("it has changed since it was looked at") });
    const other = await breakLock(path, file, {}, async () => {
      await writeFile(path, formatLockContent({ ...record, token: "C".repeat(22) }));
      return "yes";
    });
    expect(other).toMatchObject({ exit: 1, err: expect.stringContaining("nothing was done") });
    const gone = await breakLock(path, file, {}, async () => {
      await rm(path);
      return "yes";
    });
    expect(gone).toMatchObject({ exit: 0, out: expect.stringContaining("it is free by now, nothing was done") });
  });

  it("breaks a foreign lock only with --foreign, and exactly the content that was shown", async () => {
    const { path, file, locks } = await place();
    await writeFile(path, "1234\n");
    const refused = await breakLock(path, file, { yes: true }, () => Promise.resolve("yes"));
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining("--foreign breaks it all the same") });
    // A hold file that is not locked says nothing of another program.
    await writeFile(`${path}.hold`, "");
    const changed = await breakLock(path, file, { foreign: true }, async () => {
      await writeFile(path, "1235\n");
      return "yes";
    });
    expect(changed).toMatchObject({ exit: 1, err: expect.stringContaining("it has changed") });
    expect(changed.out).toContain("CANNOT BE TOLD");
    expect(changed.out).toContain("unfenced");
    const sum = /sha256 ([0-9a-f]{64})/.exec((await breakLock(path, file, {}, () => Promise.resolve(""))).out)?.[1];
    const broken = await breakLock(path, file, { foreign: true, yes: true, token: sum ?? "" });
    expect(broken).toMatchObject({ exit: 0, err: "" });
    expect(await readdir(locks)).toContain(`data.broken.${sum}`);
  });

  it("is wrong usage where nobody can be asked and no token is given, or the lock is nobody's", async () => {
    const { path, file } = await place();
    await expect(breakLock(path, file, { yes: true })).rejects.toThrow("without a terminal it needs --yes and --token");
    await expect(breakLock("/elsewhere", file, { yes: true, token })).rejects.toThrow(
      `no job takes or waits for a lock /elsewhere; the configuration has ${path}`,
    );
    const sink = new TextSink();
    const args = ["locks", "-c", file, "break", path, "--yes", "--token", token];
    expect(await runProgram(args, { env: {}, stdout: sink, stderr: sink })).toBe(0);
    expect(sink.text).toContain("it is free, there is nothing to break");
  });
});

describe("locks on other hosts", () => {
  let full: TestSshd;
  let sftp: TestSshd;
  beforeAll(async () => {
    [full, sftp] = await Promise.all([startSshd(), startSshd({ config: ["ForceCommand internal-sftp"] })]);
  });
  afterAll(() => Promise.all([full.stop(), sftp.stop()]));
  const at = ({ host, port, user, identityFile }: TestSshd, path: string) => ({
    ...{ type: "remote", host, port, user, private_ssh_key: identityFile, path },
  });
  const trusting = ({ knownHostsFile }: TestSshd) => ({ known_hosts_file: knownHostsFile });

  it("are all shown although one host is silent, whose locks are UNKNOWN", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const directory = await makeTempDir();
    await mkdir(join(directory, "locks"), { mode: 0o755 });
    const path = (name: string) => join(directory, "locks", name);
    await writeFile(path("held"), formatLockContent({ ...record, job: "a\u001b[2Jb" }));
    await writeFile(path("foreign"), "77\u001b]0;gotcha\u0007\n");
    const locks = [at(full, path("held")), at(full, path("foreign")), at(full, path("none"))];
    const file = await writeConfig([...locks, { ...at(full, path("far")), port }], directory, trusting(full));
    const { exit, out } = await list(file, { connectTimeoutMs: 10_000, withinMs: 10_000 });
    expect(exit).toBe(75);
    expect(out).not.toContain("\u001b");
    expect(
      out
        .split("\n")
        .slice(0, 6)
        .every((line) => line.length <= 80),
    ).toBe(true);
    expect(out).toContain("held by job a\ufffd[2Jb of desk on desk, process 4711");
    expect(out).toContain(String.raw`its first line is "77\u001b]0;gotcha\u0007"`);
    expect(out).toMatch(/UNKNOWN, which counts as locked/);
    expect(out).toContain("4 locks: 1 held, 1 foreign, 1 free, 1 UNKNOWN");
  });

  it("over sftp are removed by their token when the operator says so, and never without", async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "locks"), { mode: 0o755 });
    const path = join(directory, "locks", "data");
    await writeFile(path, formatLockContent({ ...record, ttl: 0 }));
    const file = await writeConfig([at(sftp, path)], directory, trusting(sftp));
    const name = `127.0.0.1:${path}`;
    const refused = await breakLock(name, file, { yes: true, token });
    expect(refused).toMatchObject({
      exit: 1,
      err: expect.stringContaining("--unlink removes it by its token instead"),
    });
    const other = await breakLock(name, file, { unlink: true }, async () => {
      await writeFile(path, formatLockContent({ ...record, token: "C".repeat(22) }));
      return "yes";
    });
    expect(other.exit).toBe(1);
    await writeFile(path, formatLockContent({ ...record, ttl: 0 }));
    const removed = await breakLock(name, file, { yes: true, token, unlink: true });
    expect(removed).toMatchObject({ exit: 0, out: expect.stringMatching(/no evidence\s+is kept/) });
    expect(await readdir(join(directory, "locks"))).toEqual([]);
  });

  it("that a shell took are removed over sftp with --unproven only, as nobody sees their writers", async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "locks"), { mode: 0o755 });
    const path = join(directory, "locks", "data");
    await writeFile(path, formatLockContent({ ...record, hold: true }));
    await writeFile(`${path}.hold`, "");
    const file = await writeConfig([at(sftp, path)], directory, trusting(sftp));
    const unlink = { yes: true, token, unlink: true };
    const refused = await breakLock(`127.0.0.1:${path}`, file, unlink);
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining("--unlink --unproven") });
    expect(await readdir(join(directory, "locks"))).toContain("data");
    expect(await breakLock(`127.0.0.1:${path}`, file, { ...unlink, unproven: true })).toMatchObject({ exit: 0 });
    expect(await readdir(join(directory, "locks"))).toEqual(["data.hold"]);
  });

  it("whose hold lock is on a host that nobody can reach are broken with --unproven only", async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "locks"), { mode: 0o755 });
    const path = join(directory, "locks", "data");
    const fence = { host: "gone.example", path: "/run/00000000000000000000000000000001.hold" };
    await writeFile(path, formatLockContent({ ...record, hold: true, fence }));
    const file = await writeConfig([at(full, path)], directory, trusting(full));
    const name = `127.0.0.1:${path}`;
    const refused = await breakLock(name, file, { yes: true, token });
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining("its hold lock is on gone.example") });
    expect(refused.out).toContain("CANNOT BE TOLD");
    expect(await breakLock(name, file, { yes: true, token, unproven: true })).toMatchObject({ exit: 0 });
  });
});
