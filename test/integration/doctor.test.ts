import { execa } from "execa";
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { runDoctor } from "../../src/cli/commands/doctor.ts";
import { loadConfig } from "../../src/config/load.ts";
import { examineHosts, type DoctorDeps, type HostReport } from "../../src/daemon/doctor/doctor.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { freePort, startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { TextSink } from "../support/text-sink.ts";

interface Place {
  sshd: TestSshd;
  locks: string;
  dest: string;
  overrides?: Record<string, unknown>;
  lock?: Record<string, unknown>;
}

/** A configuration with one remote job per place; JSON is YAML. */
async function writeConfig(places: readonly Place[]): Promise<string> {
  const file = join(await makeTempDir(), "doctor.yaml");
  const jobs = places.map(({ sshd, locks, dest, overrides, lock }, index) => ({
    id: `job${index}`,
    type: "remote",
    user: sshd.user,
    host: sshd.host,
    port: sshd.port,
    private_ssh_key: sshd.identityFile,
    ssh: { known_hosts_file: sshd.knownHostsFile, connect_timeout: "30s" },
    lock_files: [{ type: "remote", path: `${locks}/own`, ...lock }],
    blocks_on: [{ type: "local", path: `${locks}/other` }],
    actions: [{ action: "sync", id: "s", source: "/etc/hostname", dest, opts: ["-a"] }],
    ...overrides,
  }));
  await writeFile(file, JSON.stringify({ rsync_id: "doctor", jobs }));
  await chmod(file, 0o600);
  return file;
}

async function examine(file: string, deps: Partial<DoctorDeps> = {}): Promise<HostReport[]> {
  const { config } = await loadConfig(file, { env: process.env });
  return examineHosts(config, undefined, { runTool, startChild, clock: systemClock, ...deps });
}

const notWell = (report: HostReport | undefined) =>
  report?.findings
    .filter(({ state }) => state !== "ok")
    .map(({ check, state, message }) => `${state} ${check}: ${message}`);
const finding = (report: HostReport | undefined, check: string) =>
  report?.findings.find((found) => found.check === check);

describe("the doctor", () => {
  let well: TestSshd;
  beforeAll(async () => {
    well = await startSshd();
  });
  afterAll(() => well.stop());
  const place = async (overrides: Partial<Place> = {}): Promise<Place> => {
    const directory = await makeTempDir();
    const locks = join(directory, "locks");
    await mkdir(locks, { mode: 0o755 });
    return { sshd: well, locks, dest: join(directory, "copy"), ...overrides };
  };

  it("finds nothing wrong where nothing is, and tells what it looked at", async () => {
    const file = await writeConfig([await place()]);
    const [here, there] = await examine(file);
    expect(here).toMatchObject({ host: null, jobs: ["job0"] });
    expect(notWell(there)?.filter((text) => !text.startsWith("warning rsync"))).toEqual([]);
    const checks = there?.findings.map(({ check }) => check);
    for (const check of [
      "address",
      "host key",
      "key",
      "reach",
      "round trip",
      "shell",
      "clock",
      "rsync",
      "destination",
      "lock directory",
    ])
      expect(checks).toContain(check);
    expect(finding(there, "host key")?.message).toMatch(/known: ssh-ed25519 .* line 1/);
    expect(finding(there, "destination")?.message).toMatch(/not there yet; [\d.]+ .B of .* free/);
    expect(finding(here, "blocks")).toMatchObject({ state: "ok" });
  });

  it("prints a table or JSON, and ends with 1 when there is a problem", async () => {
    const good = await place();
    const bad = await place();
    const file = await writeConfig([good, { ...bad, locks: join(bad.locks, "missing") }]);
    const run = async (host: string | undefined, json: boolean) => {
      const stdout = new TextSink();
      let exit = 0;
      const context = {
        env: process.env,
        stdout,
        stderr: new TextSink(),
        finish: (code: number) => void (exit = code),
      };
      await runDoctor(host, { config: file, json }, context);
      return { exit, text: stdout.text };
    };
    const table = await run("127.0.0.1", false);
    expect(table.exit).toBe(1);
    expect(table.text).toMatch(/problem {2}lock directory {2}.*missing: its directory does not exist/);
    expect(table.text).toContain("→ install -d -m 0755");
    expect(table.text).toMatch(/1 host: 1 problem, \d warnings?\n$/);
    const { hosts, problems } = JSON.parse((await run(undefined, true)).text) as {
      hosts: HostReport[];
      problems: number;
    };
    expect(hosts.map(({ host }) => host)).toEqual([null, "127.0.0.1"]);
    expect(problems).toBe(2);
    await expect(run("elsewhere", false)).rejects.toThrow(/no host "elsewhere"; it has localhost, 127.0.0.1/);
  });

  it("examines the rest when half of the hosts are dead, each with its remedy", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const nobody = join(await makeTempDir(), "known_hosts");
    await writeFile(nobody, "");
    const open = join(await makeTempDir(), "open_key");
    await copyFile(well.identityFile, open);
    await chmod(open, 0o644);
    const file = await writeConfig([
      await place(),
      await place({ overrides: { port: await freePort() } }),
      await place({ overrides: { port } }),
      await place({ sshd: { ...well, knownHostsFile: nobody } }),
      await place({ overrides: { private_ssh_key: open } }),
    ]);
    const [, fine, refused, hanging, unknown, key] = await examine(file, { hostTimeoutMs: 20_000 });
    expect(finding(fine, "lock directory")).toMatchObject({ state: "ok" });
    expect(finding(refused, "reach")).toMatchObject({
      state: "problem",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(finding(hanging, "examination")).toMatchObject({
      state: "problem",
      message: expect.stringContaining("20 s"),
    });
    expect(finding(unknown, "host key")).toMatchObject({
      state: "problem",
      remedy: expect.stringMatching(/ssh-keyscan -p \d+ 127/),
    });
    expect(finding(unknown, "reach")?.state).toBe("problem");
    expect(finding(key, "key")).toMatchObject({ state: "problem", remedy: `chmod 600 '${open}'` });
  });

  it("tells what is wrong with a directory for locks, and what the configuration puts up with", async () => {
    const open = await place();
    await chmod(open.locks, 0o1777);
    const allowed = await place({ lock: { allow_unsafe_directory: true } });
    await chmod(allowed.locks, 0o777);
    const [, there] = await examine(await writeConfig([open, allowed]));
    expect(notWell(there)?.filter((text) => text.includes("lock directory"))).toEqual([
      `problem lock directory: ${open.locks}: everybody may write there (mode 1777)`,
      `warning lock directory: ${allowed.locks}: everybody may write there (mode 0777) (the configuration allows it)`,
    ]);
    expect(there?.findings.find(({ state }) => state === "problem")?.remedy).toContain(`chmod go-w '${open.locks}'`);
  });

  it("says what sftp alone means, and what a restricted account cannot tell", async () => {
    const sftp = await startSshd({ config: ["ForceCommand internal-sftp"] });
    const neither = await startSshd({ config: ["ForceCommand echo only rsync here; exit 1"] });
    onTestFinished(async () => void (await Promise.all([sftp.stop(), neither.stop()])));
    const [, bySftp, byNothing] = await examine(
      await writeConfig([await place({ sshd: sftp }), await place({ sshd: neither })]),
    );
    expect(finding(bySftp, "shell")).toMatchObject({
      state: "warning",
      message: expect.stringContaining("never broken"),
    });
    expect(finding(bySftp, "lock directory")).toMatchObject({
      state: "ok",
      message: expect.stringContaining("exclusive creation works"),
    });
    expect(finding(bySftp, "rsync")).toMatchObject({
      state: "warning",
      remedy: expect.stringContaining("allow rsync"),
    });
    expect(finding(byNothing, "lock directory")).toMatchObject({
      state: "problem",
      message: expect.stringContaining("no sftp"),
    });
    expect(finding(byNothing, "shell")?.message).toContain("only rsync here");
  });

  it("tells which key to hand in where the login is refused, and the very command of the director elsewhere", async () => {
    const other = await startSshd();
    onTestFinished(() => other.stop());
    const file = await writeConfig([
      await place({ overrides: { private_ssh_key: other.identityFile } }),
      await place({ overrides: { port: await freePort() } }),
    ]);
    const [, refused, closed] = await examine(file);
    expect(finding(refused, "reach")?.remedy).toContain(`ssh-copy-id -i ${other.identityFile}.pub -p ${well.port}`);
    expect(finding(closed, "reach")?.remedy).toMatch(/^ssh -v -o BatchMode=yes .*-i .*client_key .* true$/);
  });

  it("finds a full disk and a clock that is wrong", async (context) => {
    const full = await place();
    const mounted = await execa("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", full.locks], { reject: false });
    if (mounted.exitCode !== 0) return context.skip(`no tmpfs can be mounted here (${mounted.stderr})`);
    onTestFinished(async () => void (await execa("umount", ["--lazy", full.locks])));
    await execa("sh", ["-c", 'cat /dev/zero >"$1"', "fill", join(full.locks, "ballast")], { reject: false });
    const late = { ...systemClock, now: () => systemClock.now() + 7_200_000 };
    const [, there] = await examine(await writeConfig([full]), { clock: late });
    expect(notWell(there)).toContainEqual(`problem lock directory: ${full.locks}: the file system is full`);
    expect(notWell(there)).toContainEqual(expect.stringMatching(/problem clock: 7(?:200|19\d) s behind this host/));
  });
});
