import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { compareTrees } from "../support/compare-trees.ts";
import { builtProgram } from "../support/director-process.ts";
import { runCli } from "../support/instance.ts";
import { type OverlayHost, startOverlayHost, whyNoOverlayHosts } from "../support/overlay-host.ts";
import { freePort } from "../support/sshd.ts";

const missing = whyNoOverlayHosts();
const secret = "S3cret-of-the-environment";

/** The tests build on each other, as an operator's day does. */
describe.skipIf(missing !== undefined)("deploy, onto two fresh hosts", () => {
  let directory: string;
  let laptop: OverlayHost;
  let backup: OverlayHost;
  let fingerprint: string;
  const path = (...parts: string[]) => join(directory, ...parts);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "rsyncdirector-deploy-"));
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path("operator")]);
    const operatorKey = await readFile(path("operator.pub"), "utf8");
    laptop = await startOverlayHost("laptop01", operatorKey);
    backup = await startOverlayHost("backup01", operatorKey);
    const lines = [laptop, backup].map(({ port, hostKey }) => `[127.0.0.1]:${port} ${hostKey}`);
    await writeFile(path("known_hosts"), `${lines.join("\n")}\n`);
    await writeFile(path("backup.pub"), backup.hostKey);
    fingerprint = (await execa("ssh-keygen", ["-lf", path("backup.pub")])).stdout.split(" ")[1] ?? "";
    await mkdir(laptop.path("/srv/photos/2026"), { recursive: true });
    await writeFile(laptop.path("/srv/photos/2026/a.jpg"), "a picture\n");
    await makePackage();
    await writeInventory();
  });
  afterAll(async () => {
    await laptop.stop();
    await backup.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** What npm pack makes, of a package that starts the built program of this tree: its dependencies are here already. */
  async function makePackage(): Promise<void> {
    await mkdir(path("package"));
    const manifest = { name: "rsyncdirector", version: "0.0.1", type: "module", bin: { rsyncdirector: "main.js" } };
    await writeFile(path("package", "package.json"), JSON.stringify(manifest));
    await writeFile(path("package", "main.js"), `#!/usr/bin/env node\nimport ${JSON.stringify(builtProgram)};\n`);
    await chmod(path("package", "main.js"), 0o755);
    await execa("npm", ["pack", "--silent"], { cwd: path("package") });
  }

  async function writeInventory(edit: (config: Record<string, unknown>) => object = (config) => config): Promise<void> {
    const config = {
      rsync_id: "laptop01",
      cron_schedule: "0 2 * * *",
      state_dir: "/var/lib/rsyncdirector/laptop",
      pid_file_dir: "/var/lib/rsyncdirector/run",
      metrics: { addr: "127.0.0.1", port: await freePort() },
      logging: [{ type: "file", path: "/var/log/rsyncdirector/laptop.log", format: "json" }],
      jobs: [
        {
          id: "photos",
          type: "remote",
          host: "127.0.0.1",
          port: backup.port,
          user: "copies",
          private_ssh_key: "/var/lib/director/.ssh/id_ed25519",
          hold: "required",
          lock_files: [{ type: "remote", path: "/var/lib/rsyncdirector-locks/photos" }],
          actions: [
            {
              action: "sync",
              id: "photos",
              source: "/srv/photos/",
              dest: "/backup/${NAME_OF_TREE}/",
              rsync: { archive: true, delete: true },
            },
          ],
        },
      ],
    };
    await writeFile(path("laptop.yaml"), stringify(edit(config)), { mode: 0o600 });
    await writeFile(path("laptop.env"), `NAME_OF_TREE=laptop01\nTOKEN=${secret}\n`, { mode: 0o600 });
    const reach = ({ port }: OverlayHost) => ({
      ...{ address: "127.0.0.1", port, user: "root", identity_file: "operator", known_hosts_file: "known_hosts" },
    });
    const peer = {
      ...{ host: "backup01", account: "copies", write: ["/backup/laptop01"], locks: ["/var/lib/rsyncdirector-locks"] },
    };
    const instance = {
      config: "laptop.yaml",
      env_file: "laptop.env",
      account: "director",
      groups: ["readers"],
      peers: [peer],
    };
    const hosts = {
      laptop01: { ...reach(laptop), package: "package/rsyncdirector-0.0.1.tgz", instances: { laptop: instance } },
      backup01: reach(backup),
    };
    await writeFile(path("hosts.yaml"), stringify({ hosts }));
  }

  const deploy = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await runCli(["deploy", ...args, "--inventory", path("hosts.yaml")]);
    expect(stdout + stderr).not.toContain(secret);
    return { exitCode, output: stdout + stderr };
  };
  const ssh = (host: OverlayHost, command: string) =>
    execa(
      "ssh",
      [
        ...["-F", "none", "-i", path("operator"), "-o", `UserKnownHostsFile=${path("known_hosts")}`],
        ...["-p", String(host.port), "root@127.0.0.1", command],
      ],
      { reject: false, stdin: "ignore" },
    );
  const asDirector = (command: string) =>
    ssh(laptop, `cd / && runuser -u director -- env NAME_OF_TREE=laptop01 ${command}`);

  it("shows what it would do, and does nothing", async () => {
    const { output, exitCode } = await deploy("plan");
    expect(output).toContain("+ account director, home /var/lib/director");
    expect(output).toContain("+ directory /backup/laptop01: copies:copies 750");
    expect(output).toContain("+ file /etc/rsyncdirector/laptop.yaml: root:director 640");
    expect(output).toContain("systemd does not run here");
    expect(output).toContain("will be let in as copies as soon as it is there");
    expect(output).toContain(
      `! known_hosts of director: [127.0.0.1]:${backup.port} shows a key that nobody has confirmed`,
    );
    expect(exitCode).toBe(1);
    expect(await readdir(backup.path("/")).then((names) => names.includes("backup"))).toBe(false);
    expect((await deploy("apply", "--dry-run")).output).toBe(output);
  });

  it("files no host key that nobody has confirmed, whatever else is agreed to", async () => {
    const { output, exitCode } = await deploy("apply", "--yes");
    expect(exitCode).toBe(1);
    expect(output).toContain(`[127.0.0.1]:${backup.port} shows a key that nobody has confirmed`);
    expect(output).toContain(fingerprint);
    expect(output).toMatch(/laptop01: FAILED: known_hosts of director/);
    expect(output).toMatch(/backup01: \d+ changed/);
    const wrong = await deploy("apply", "--yes", "--accept-fingerprint", `SHA256:${"A".repeat(43)}`);
    expect(wrong.exitCode).toBe(1);
    expect(await readdir(laptop.path("/var/lib/director/.ssh"))).toEqual(["id_ed25519", "id_ed25519.pub"]);
  });

  it("goes on where it was stopped, and is content with the result", async () => {
    const { output, exitCode } = await deploy("apply", "--yes", "--accept-fingerprint", fingerprint);
    expect(exitCode, output).toBe(0);
    expect(output).toContain("2 hosts: 0 problems");
    const keys = await readFile(backup.path("/var/lib/copies/.ssh/authorized_keys"), "utf8");
    expect(keys).toMatch(
      /^restrict,command="\/bin\/sh \/usr\/local\/lib\/rsyncdirector\/gate\.sh --write \/backup\/laptop01 --locks \/var\/lib\/rsyncdirector-locks" ssh-ed25519 /,
    );
    expect((await stat(laptop.path("/etc/rsyncdirector/laptop.env"))).mode & 0o7777).toBe(0o640);
    expect((await ssh(laptop, "id -nG director")).stdout.split(" ")).toContain("readers");
    expect(await readFile(laptop.path("/etc/logrotate.d/rsyncdirector-laptop"), "utf8")).toContain("laptop.log {");
  });

  it("changes nothing the second time, and says so", async () => {
    const { output, exitCode } = await deploy("apply", "--yes");
    expect(exitCode).toBe(0);
    expect(output).toMatch(/\nlaptop01: nothing to change\nbackup01: nothing to change$/);
    expect(output).not.toMatch(/^\w+: [+~]/m);
    const plan = await deploy("plan");
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(plan.output.match(/nothing to change/g)).toHaveLength(2);
  });

  it("has made what an unattended backup needs, locks and all", async () => {
    const run = await asDirector("rsyncdirector run --config /etc/rsyncdirector/laptop.yaml");
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const differences = compareTrees(laptop.path("/srv/photos"), backup.path("/backup/laptop01"));
    expect(differences.filter((line) => !/owner|group/i.test(line))).toEqual([]);
    const locks = await readdir(backup.path("/var/lib/rsyncdirector-locks"));
    expect(locks.toSorted()).toEqual(["photos.guard", "photos.hold"]);
  });

  it("has given a key that opens nothing else", async () => {
    const client = `ssh -i /var/lib/director/.ssh/id_ed25519 -o BatchMode=yes -p ${backup.port}`;
    const attempts = [
      `${client} copies@127.0.0.1 id`,
      `${client} copies@127.0.0.1`,
      `${client} copies@127.0.0.1 cat /etc/passwd`,
      `sftp -i /var/lib/director/.ssh/id_ed25519 -P ${backup.port} -b /dev/null copies@127.0.0.1`,
      `rsync -e '${client}' /etc/hostname copies@127.0.0.1:/var/lib/copies/.ssh/`,
      `rsync -e '${client}' copies@127.0.0.1:/etc/passwd /tmp/`,
      `rsync -e '${client}' /etc/hostname copies@127.0.0.1:/var/lib/rsyncdirector-locks/`,
    ];
    for (const attempt of attempts) {
      const { exitCode, stdout, stderr } = await asDirector(attempt);
      expect({ attempt, ok: exitCode === 0, stdout }).toEqual({ attempt, ok: false, stdout: "" });
      expect(stderr).toMatch(/rsyncdirector-gate: refused|Connection closed|Received message too long/);
    }
  });

  it("keeps the old configuration when the new one is no good, and beside a good one", async () => {
    const file = laptop.path("/etc/rsyncdirector/laptop.yaml");
    const before = await readFile(file, "utf8");
    await writeInventory((config) => ({ ...config, rsync_idd: "typo" }));
    const bad = await deploy("apply", "--yes");
    expect(bad).toMatchObject({ exitCode: 78 });
    expect(bad.output).toContain("rsync_idd");
    expect(await readFile(file, "utf8")).toBe(before);

    await writeInventory((config) => ({ ...config, cron_schedule: "0 3 * * *" }));
    const good = await deploy("apply", "--yes");
    expect(good).toMatchObject({ exitCode: 0 });
    expect(good.output).toContain("laptop01: ~ file /etc/rsyncdirector/laptop.yaml: content ");
    expect(await readFile(file, "utf8")).toContain("0 3 * * *");
    const kept = (await readdir(laptop.path("/etc/rsyncdirector"))).filter((name) => name.includes(".yaml.bak-"));
    expect(kept).toHaveLength(1);
    expect(await readFile(laptop.path(`/etc/rsyncdirector/${kept[0]}`), "utf8")).toBe(before);
  });

  it("leaves a key alone that is let in without a gate, and does the other hosts", async () => {
    const file = backup.path("/var/lib/copies/.ssh/authorized_keys");
    const keys = await readFile(file, "utf8");
    await writeFile(file, keys.replace(/^restrict,command="[^"]*" /, ""));
    const { output, exitCode } = await deploy("apply", "--yes");
    expect(exitCode).toBe(1);
    expect(output).toContain("lets the key of laptop01 in without a gate: remove it");
    expect(output).toMatch(/laptop01: nothing to change\nbackup01: FAILED/);
    await writeFile(file, keys);
    expect(await deploy("apply", "--yes", "--limit", "backup01")).toMatchObject({ exitCode: 0 });
  });
});

if (missing !== undefined) console.log(`deploy.test.ts: skipped, ${missing}`);
