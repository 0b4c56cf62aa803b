import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BootedDebian, bootDebian, whyNoBoot } from "../support/booted-debian.ts";
import { buildPackage, installPackage, repackage } from "../support/debian-package.ts";
import {
  type InstanceOptions,
  makePackagedInstance,
  makeVault,
  type PackagedInstance,
  pushUnit,
  rootUnit,
  startPackagedInstance,
  type UnitKind,
} from "../support/packaged-instance.ts";

const why = whyNoBoot();
if (why !== undefined) console.warn(`SKIPPED the Debian package under systemd: ${why}`);

describe.skipIf(why !== undefined)("the Debian package", () => {
  let scratch: string;
  let file: string;
  let debian: BootedDebian;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-package-"));
    const [made, booted] = await Promise.allSettled([buildPackage(scratch), bootDebian()]);
    if (booted.status === "fulfilled") debian = booted.value;
    if (made.status === "rejected") throw made.reason;
    if (booted.status === "rejected") throw booted.reason;
    file = made.value;
    await installPackage(debian, file);
    await makeVault(debian);
  });
  afterAll(async () => {
    await debian?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  /** An instance that runs; it is stopped and forgotten when the test ends. */
  const startInstance = (kind: UnitKind, options: InstanceOptions) => startPackagedInstance(debian, kind, options);

  const metricsOf = ({ port }: PackagedInstance) =>
    debian.run(
      `/usr/lib/rsyncdirector/bin/node -e 'fetch("http://127.0.0.1:${port}/metrics").then((r) => r.text()).then(console.log)'`,
    );
  const processesOf = async ({ unit }: PackagedInstance) => {
    const { output } = await debian.attempt(`systemd-cgls --no-pager -u ${unit} | cat`);
    return output.split("\n").filter((line) => /[├└]─/.test(line));
  };
  /** At the other end of the connection too. The pattern does not match the shell that asks. */
  const isEverywhereGone = ({ copy }: PackagedInstance) => debian.until(`! pgrep -f '[/]${copy.slice(1)}'`);
  const isFree = (lock: string) => debian.until(`! test -e ${lock}`);

  it("installs the program, its own runtime, an account, directories for locks, manual pages and units", async () => {
    expect(await debian.run("command -v node || rsyncdirector --version")).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await debian.run("stat -c '%n %U %a' /run/rsyncdirector-locks /run/rsyncdirector-push-locks")).toBe(
      "/run/rsyncdirector-locks root 755\n/run/rsyncdirector-push-locks rsyncdirector 755",
    );
    expect(await debian.run("getent passwd rsyncdirector")).toMatch(/:\/usr\/sbin\/nologin$/m);
    const installed = await debian.run("dpkg -L rsyncdirector");
    for (const path of [
      "/usr/share/man/man1/rsyncdirector.1.gz",
      "/usr/share/man/man5/rsyncdirector.yaml.5.gz",
      "/usr/share/doc/rsyncdirector/copyright",
      "/usr/share/doc/rsyncdirector/docs/decisions/0001-floors.md",
      "/usr/share/doc/rsyncdirector/docs/images/status-page-light.png",
      "/usr/share/doc/rsyncdirector/examples/rsyncdirector.yaml",
      "/usr/lib/systemd/system/rsyncdirector@.service",
      "/usr/lib/systemd/system/rsyncdirector-push@.service",
    ])
      expect(installed.split("\n")).toContain(path);
    expect(await debian.run("dpkg --verify rsyncdirector")).toBe("");
  });

  describe.each([rootUnit, pushUnit])("with $template@.service", (kind) => {
    const prefix = kind.account === "root" ? "r" : "p";
    const base = kind.account === "root" ? 9100 : 9200;

    it("is active when it is ready, runs at once on SIGHUP, and has others beside it", async () => {
      const demo = await startInstance(kind, { name: `${prefix}demo`, port: base + 1 });
      const metrics = await metricsOf(demo);
      expect(metrics).toContain("rsyncdirector_build_info");
      expect(await demo.show("StatusText")).toBe("idle");
      await demo.runNow();
      await debian.until(`test "$(cat ${demo.copy}/file)" = one`);
      await isFree(demo.lock);
      const pid = await demo.show("MainPID");
      expect(await debian.run(`ps -o user= -p ${pid}`)).toBe(kind.account);

      const second = await startInstance(kind, { name: `${prefix}second`, port: base + 2 });
      await second.runNow();
      await debian.until(`test "$(cat ${second.copy}/file)" = one`);
      await debian.run(`systemctl stop ${second.unit}`);
      expect(await demo.show("ActiveState")).toBe("active");
      expect(await demo.show("MainPID")).toBe(pid);
      expect(
        (
          await debian.run(
            `cat /run/rsyncdirector/rsyncdirector-${demo.name}.pid /run/rsyncdirector/${demo.name}/rsyncdirector-${demo.name}.pid 2>/dev/null || true`,
          )
        ).trim(),
      ).toBe(pid);
      await debian.run(`test -d ${kind.locks}`);
    });

    it("is not active before it is ready", async () => {
      const port = base + 3;
      // It waits for its port, so that it is not ready, until that is free.
      await debian.run(
        `systemd-run --quiet --unit=taken /usr/lib/rsyncdirector/bin/node -e 'require("net").createServer().listen(${port}, "127.0.0.1")'`,
      );
      await debian.until(`ss -ltn 2>/dev/null | grep -q :${port} || grep -qi ":$(printf %04X ${port})" /proc/net/tcp`);
      const waits = { startup_retry_wait_seconds: 1, startup_retry_limit: 100 };
      const instance = await makePackagedInstance(debian, kind, {
        ...{ name: `${prefix}late`, port },
        more: { metrics: { addr: "127.0.0.1", port, ...waits } },
      });
      onTestFinished(() => void debian.attempt(`systemctl stop taken; systemctl stop ${instance.unit}`));
      await debian.run(`systemctl start --no-block ${instance.unit}`);
      await debian.until(`journalctl -o cat -u ${instance.unit} | grep -q 'in use\\|taken\\|EADDRINUSE'`);
      expect(await instance.show("ActiveState")).toBe("activating");
      await debian.run("systemctl stop taken");
      await debian.until(`systemctl is-active ${instance.unit}`);
      expect(await metricsOf(instance)).toContain("rsyncdirector_build_info");
      await debian.run(`systemctl stop ${instance.unit}`);
    });

    it("stops in the middle of a sync, in good order and in time, and leaves neither lock nor process", async () => {
      const instance = await startInstance(kind, { name: `${prefix}stop`, port: base + 4 });
      await instance.startLongRun();
      await debian.until(`systemctl show --value -p StatusText ${instance.unit} | grep -q '^running: copy'`);
      await debian.run(`systemctl stop ${instance.unit}`);
      expect(await instance.show("Result")).toBe("success");
      expect(await instance.show("ExecMainStatus")).toBe("0");
      expect(await processesOf(instance)).toEqual([]);
      await debian.run(`! test -e ${instance.lock}`);
      await isEverywhereGone(instance);
      await instance.endLongRun();
    });

    it.each([
      ["hangs", "STOP", /watchdog/i],
      ["is killed", "KILL", /status=9\/KILL|signal/i],
    ])("is started again when it %s, and gives back the locks of its earlier life", async (_how, signal, said) => {
      const instance = await startInstance(kind, {
        ...{ name: `${prefix}sig${signal.toLowerCase()}`, port: base + 5 },
        // Long enough for a busy machine to let a message through twice in it.
        watchdogSeconds: 10,
      });
      await instance.startLongRun();
      const [pid, children] = [await instance.show("MainPID"), await processesOf(instance)];
      expect(children.length).toBeGreaterThan(1);
      await debian.run(`kill -${signal} ${pid}`);
      await debian.until(`test "$(systemctl show --value -p NRestarts ${instance.unit})" = 1`);
      await debian.until(`systemctl is-active ${instance.unit}`);
      await isFree(instance.lock);
      expect(await instance.show("MainPID")).not.toBe(pid);
      await isEverywhereGone(instance);
      expect(
        await debian.run(`journalctl -o cat --no-pager UNIT=${instance.unit} + _SYSTEMD_UNIT=${instance.unit}`),
      ).toMatch(said);
      await instance.endLongRun();
      await instance.runNow();
      await debian.until(`test "$(cat ${instance.copy}/file)" = one`);
    });

    it("does not start with a wrong configuration, says why in the journal, and is not tried again", async () => {
      const instance = await makePackagedInstance(debian, kind, {
        ...{ name: `${prefix}wrong`, port: base + 6 },
        more: { jobs: [{ id: "copy", type: "remot" }] },
      });
      const start = await debian.attempt(`systemctl start ${instance.unit}`);
      expect(start.exitCode).not.toBe(0);
      expect(await instance.show("ActiveState")).toBe("failed");
      expect(await instance.show("ExecMainStatus")).toBe("78");
      expect(await instance.show("NRestarts")).toBe("0");
      expect(await instance.journal()).toContain('jobs[0].type: must be one of local, remote; got "remot"');
      await debian.run(`systemctl reset-failed ${instance.unit}`);
    });

    it("keeps the old configuration when it is told to reload a wrong one", async (context) => {
      const has = await debian.attempt("rsyncdirector --help | grep -q '^  reload '");
      if (has.exitCode !== 0) context.skip("this version has no command reload");
      const instance = await startInstance(kind, { name: `${prefix}reload`, port: base + 7 });
      const pid = await instance.show("MainPID");
      await debian.run(`sed -i 's/^rsync_id:.*/rsync_id: [/' ${instance.config}`);
      const reload = await debian.attempt(`systemctl reload ${instance.unit}`);
      expect(reload.exitCode).not.toBe(0);
      expect(await instance.journal()).toContain(`${instance.config}:`);
      expect(await instance.show("ActiveState")).toBe("active");
      expect(await instance.show("MainPID")).toBe(pid);
      await instance.runNow();
      await debian.until(`test "$(cat ${instance.copy}/file)" = one`);
    });
  });

  it("keeps the unprivileged account from writing what is not its own", async () => {
    const instance = await startInstance(pushUnit, {
      ...{ name: "writes", port: 9301 },
      more: {
        jobs: [
          {
            ...{ id: "writes", type: "local" },
            actions: [
              { action: "command", id: "write", command: "/bin/sh", args: ["-c", "id -un; touch /etc/x /srv/x"] },
            ],
          },
        ],
      },
    });
    await instance.runNow();
    await debian.until(`journalctl -o cat -u ${instance.unit} | grep -q 'run finished'`);
    expect(await instance.journal()).toMatch(/Read-only file system|Permission denied/);
    await debian.run("! test -e /etc/x && ! test -e /srv/x");
  });

  it("rotates the files that the configuration logs to, under a running daemon", async () => {
    const log = "/var/log/rsyncdirector/rotated.log";
    const instance = await startInstance(rootUnit, {
      ...{ name: "rotated", port: 9302 },
      more: { logging: [{ type: "file", path: log }] },
    });
    await debian.until(`grep -q 'director started' ${log}`);
    await debian.run("logrotate --force /etc/logrotate.d/rsyncdirector");
    await debian.run(`grep -q 'director started' ${log}.1 && ! test -s ${log}`);
    await instance.runNow();
    await debian.until(`grep -q 'run finished' ${log}`);
    expect(await debian.run(`head -c 1 ${log}`)).toBe("{");
  });

  it("is upgraded in good order in the middle of a run, and what ran runs again", async () => {
    const instance = await startInstance(rootUnit, { name: "upgraded", port: 9303 });
    await instance.startLongRun();
    const pid = await instance.show("MainPID");
    const said = await installPackage(debian, await repackage(file, "999.0"));
    expect(said).toContain(`${instance.unit} was in the middle of a run`);
    expect(await instance.show("ActiveState")).toBe("active");
    expect(await instance.show("NRestarts")).toBe("0");
    expect(await instance.show("MainPID")).not.toBe(pid);
    await debian.run(`! test -e ${instance.lock} && ! test -e /run/rsyncdirector-stopped-for-upgrade`);
    expect(await instance.journal()).toContain("director stopped");
    await instance.endLongRun();
  });

  it("stops what runs when it is removed, keeps what is not the package's, and leaves nothing when purged", async () => {
    const instance = await makePackagedInstance(debian, rootUnit, { name: "last", port: 9304 });
    await debian.run(`systemctl enable --now ${instance.unit} 2>&1`);
    await debian.run("DEBIAN_FRONTEND=noninteractive apt-get remove -y rsyncdirector 2>&1");
    expect(await instance.show("ActiveState")).toBe("inactive");
    await debian.run(
      `test -f ${instance.config} && test -d /var/lib/rsyncdirector && ! test -e /usr/bin/rsyncdirector`,
    );

    const said = await debian.run("DEBIAN_FRONTEND=noninteractive apt-get purge -y rsyncdirector 2>&1");
    expect(said).toContain("rsyncdirector: /var/lib/rsyncdirector was removed");
    // The drop-ins are this test's own.
    await debian.run("rm -rf /etc/systemd/system/*.service.d /var/tmp/rsyncdirector.deb");
    expect(
      await debian.run(
        "find / -xdev -path /proc -prune -o -name '*rsyncdirector*' -print; find /run -name '*rsyncdirector*'",
      ),
    ).toBe("");
  });
});
