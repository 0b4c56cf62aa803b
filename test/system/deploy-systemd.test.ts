import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type BootedDebian, bootDebian, whyNoBoot } from "../support/booted-debian.ts";
import { buildPackage, packagedVersion } from "../support/debian-package.ts";
import { builtProgram } from "../support/director-process.ts";
import { type OverlayHost, startOverlayHost, whyNoOverlayHosts } from "../support/overlay-host.ts";

const why = whyNoBoot() ?? whyNoOverlayHosts();
if (why !== undefined) console.warn(`SKIPPED deploy onto a booted Debian: ${why}`);

const unit = "rsyncdirector@laptop.service";
const configFile = "/etc/rsyncdirector/laptop.yaml";
const metricsPort = 9400;

/** The tests build on each other, as an operator's days do. */
describe.skipIf(why !== undefined)("deploy, onto a Debian with systemd that has nothing of it, by sudo", () => {
  let directory: string;
  let laptop: BootedDebian;
  let backup: OverlayHost;
  let fingerprint: string;
  let become = true;
  const path = (...parts: string[]) => join(directory, ...parts);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "rsyncdirector-deploy-"));
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path("operator")]);
    const operatorKey = await readFile(path("operator.pub"), "utf8");
    const [made, booted] = await Promise.allSettled([buildPackage(directory), bootDebian()]);
    if (booted.status === "rejected") throw booted.reason;
    laptop = booted.value;
    if (made.status === "rejected") throw made.reason;
    backup = await startOverlayHost("backup01", operatorKey, { networkOf: laptop.leader });
    await laptop.run(`
      useradd --create-home --shell /bin/bash admin
      echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
      install -d -o admin -g admin -m 0700 /home/admin/.ssh
      install -d /srv/photos; echo 'a picture' > /srv/photos/a.jpg
      systemctl start ssh
    `);
    await laptop.write("/home/admin/.ssh/authorized_keys", operatorKey);
    const laptopKey = await laptop.run("cat /etc/ssh/ssh_host_ed25519_key.pub");
    const known = [`127.0.0.1 ${laptopKey}`, `[127.0.0.1]:${backup.port} ${backup.hostKey}`];
    await writeFile(path("known_hosts"), `${known.join("\n")}\n`);
    await writeFile(path("backup.pub"), backup.hostKey);
    fingerprint = (await execa("ssh-keygen", ["-lf", path("backup.pub")])).stdout.split(" ")[1] ?? "";
    await writeInventory();
  });
  afterAll(async () => {
    await backup?.stop();
    await laptop?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function writeInventory(more: Record<string, unknown> = {}): Promise<void> {
    const config = {
      ...{ rsync_id: "laptop", cron_schedule: "0 2 * * *", metrics: { addr: "127.0.0.1", port: metricsPort } },
      jobs: [
        {
          ...{ id: "photos", type: "remote", host: "127.0.0.1", port: backup.port, user: "copies", hold: "required" },
          private_ssh_key: "/var/lib/director/.ssh/id_ed25519",
          lock_files: [{ type: "remote", path: "/var/lib/rsyncdirector-locks/photos" }],
          actions: [
            {
              ...{ action: "sync", id: "photos", source: "/srv/photos/", dest: "/backup/laptop01/" },
              rsync: { archive: true, delete: true },
            },
          ],
        },
      ],
      ...more,
    };
    await writeFile(path("laptop.yaml"), stringify(config), { mode: 0o600 });
    const reach = { address: "127.0.0.1", identity_file: "operator", known_hosts_file: "known_hosts" };
    const peer = {
      ...{ host: "backup01", account: "copies", write: ["/backup/laptop01"], locks: ["/var/lib/rsyncdirector-locks"] },
    };
    const hosts = {
      laptop01: {
        ...{ ...reach, user: "admin", become, package: "rsyncdirector.deb" },
        instances: { laptop: { config: "laptop.yaml", account: "director", peers: [peer] } },
      },
      backup01: { ...reach, port: backup.port, user: "root" },
    };
    await writeFile(path("hosts.yaml"), stringify({ hosts }));
  }

  /** From a machine that is in the network of the two. */
  const deploy = async (...args: string[]) => {
    const program = [process.execPath, builtProgram, "deploy", ...args, "--inventory", path("hosts.yaml")];
    const inside = ["-t", String(laptop.leader), "-n", "--"];
    const { exitCode, all } = await execa("nsenter", [...inside, ...program], {
      ...{ reject: false, all: true, stdin: "ignore" },
    });
    return { exitCode, output: all };
  };
  const show = async (property: string) => (await laptop.run(`systemctl show --value -p ${property} ${unit}`)).trim();
  const backups = () => laptop.run(`ls /etc/rsyncdirector | grep -c '^laptop.yaml.bak-' || true`);

  it("does nothing as an account that is not root, and says what it needs", async () => {
    become = false;
    await writeInventory();
    const { exitCode, output } = await deploy("apply", "--yes", "--limit", "laptop01");
    expect(exitCode, output).toBe(1);
    expect(output).toContain("the account there is not root: set become, or user: root");
    await laptop.run("! test -e /etc/rsyncdirector && ! getent passwd director");
    become = true;
    await writeInventory();
  });

  it("installs, enables and starts it, and it is active because it is ready", async () => {
    const { exitCode, output } = await deploy("apply", "--yes", "--accept-fingerprint", fingerprint);
    expect(exitCode, output).toBe(0);
    expect(output).toContain(`laptop01: + program of ${path("rsyncdirector.deb")}`);
    expect(output).toContain("laptop01: + enable and start rsyncdirector@laptop");
    expect(output).toContain("2 hosts: 0 problems");
    expect(await show("Type")).toBe("notify");
    expect(await show("UnitFileState")).toBe("enabled");
    expect(await show("ActiveState")).toBe("active");
    expect(await show("StatusText")).toMatch(/^idle; next: photos at /);
    expect(await laptop.run(`ps -o user= -p ${await show("MainPID")}`)).toBe("director");
    expect(await laptop.run("dpkg-query -W -f '${Version}' rsyncdirector")).toBe(packagedVersion);
    expect(await laptop.run(`stat -c '%U:%G %a' ${configFile}`)).toBe("root:director 640");
  });

  it("changes nothing the second time, and says so", async () => {
    const pid = await show("MainPID");
    const { exitCode, output } = await deploy("apply", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/\nlaptop01: nothing to change\nbackup01: nothing to change$/);
    expect(output).not.toMatch(/^\w+: [+~]/m);
    expect(await show("MainPID")).toBe(pid);
  });

  it("has made an unattended backup possible: the unit copies by itself, and leaves no lock", async () => {
    await laptop.run(`systemctl kill --signal=HUP --kill-whom=main ${unit}`);
    await laptop.until(`journalctl -o cat -u ${unit} | grep -q 'run finished'`);
    expect(await laptop.run(`journalctl --no-pager -o cat -u ${unit}`)).not.toContain("failed");
    expect(await readFile(backup.path("/backup/laptop01/a.jpg"), "utf8")).toBe("a picture\n");
    await laptop.until(`systemctl show --value -p StatusText ${unit} | grep -q '^idle'`);
    expect((await execa("ls", [backup.path("/var/lib/rsyncdirector-locks")])).stdout.split("\n")).toEqual([
      "photos.guard",
      "photos.hold",
    ]);
  });

  it("has given it a key that opens nothing else", async () => {
    const client = `ssh -i /var/lib/director/.ssh/id_ed25519 -o BatchMode=yes -p ${backup.port}`;
    for (const attempt of [
      `${client} copies@127.0.0.1 id`,
      `${client} copies@127.0.0.1`,
      `${client} -N -L 1:127.0.0.1:22 -o ExitOnForwardFailure=yes copies@127.0.0.1`,
      `rsync -e '${client}' copies@127.0.0.1:/etc/passwd /tmp/`,
      `rsync -e '${client}' /etc/hostname copies@127.0.0.1:/var/lib/copies/.ssh/`,
    ]) {
      const { exitCode, output } = await laptop.attempt(
        `cd /; timeout 60 runuser -u director -- ${attempt} </dev/null`,
      );
      expect({ attempt, ok: exitCode === 0 }).toEqual({ attempt, ok: false });
      expect(output).toMatch(/rsyncdirector-gate: refused|Connection closed|[Pp]ermission denied|privileged ports/);
    }
  });

  it("replaces nothing by a configuration that is no good", async () => {
    const [before, pid] = [await laptop.run(`cat ${configFile}`), await show("MainPID")];
    await writeInventory({ rsync_idd: "typo" });
    const { exitCode, output } = await deploy("apply", "--yes");
    expect(exitCode).toBe(78);
    expect(output).toContain("rsync_idd");
    expect(await laptop.run(`cat ${configFile}`)).toBe(before);
    expect(await show("MainPID")).toBe(pid);
    expect(await backups()).toBe("0");
  });

  it("starts it anew with a configuration that has changed, and keeps the one before", async () => {
    const [before, pid] = [await laptop.run(`cat ${configFile}`), await show("MainPID")];
    await writeInventory({ cron_schedule: "0 3 * * *" });
    const { exitCode, output } = await deploy("apply", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("laptop01: ~ start rsyncdirector@laptop anew");
    expect(await show("StatusText")).toContain("03:00");
    expect(await show("MainPID")).not.toBe(pid);
    expect(await laptop.run("cat /etc/rsyncdirector/laptop.yaml.bak-*")).toBe(before);
  });

  it("reports a start that fails with what the journal says, and makes up for it the next time", async () => {
    const taken = metricsPort + 1;
    await laptop.run(
      `systemd-run --quiet --unit=taken /usr/lib/rsyncdirector/bin/node -e 'require("net").createServer().listen(${taken}, "127.0.0.1")'`,
    );
    await laptop.until(`grep -qi ":$(printf %04X ${taken})" /proc/net/tcp`);
    await writeInventory({ metrics: { addr: "127.0.0.1", port: taken, startup_retry_limit: 0 } });
    const failed = await deploy("apply", "--yes");
    expect(failed.exitCode).toBe(1);
    expect(failed.output).toMatch(
      new RegExp(`laptop01: FAILED: start rsyncdirector@laptop anew: .*127\\.0\\.0\\.1:${taken}`),
    );
    expect(failed.output).toMatch(/\nbackup01: nothing to change$/);
    await laptop.run("systemctl stop taken");
    const { exitCode, output } = await deploy("apply", "--yes");
    expect(exitCode, output).toBe(0);
    expect(await show("ActiveState")).toBe("active");
  });
});
