import { chmod, copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findProgram } from "../../src/process/find-program.ts";
import { buildPackage, describePackage, packagedAt, packagedVersion, whyNoPackage } from "../support/debian-package.ts";
import { projectFiles, projectRoot } from "../support/project-files.ts";
import { freePort } from "../support/sshd.ts";

const why = whyNoPackage();
if (why !== undefined) console.warn(`SKIPPED the file of the Debian package: ${why}`);

describe.skipIf(why !== undefined)("the file of the Debian package", () => {
  let scratch: string;
  let file: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-package-"));
    file = await buildPackage(scratch);
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it("has no errors for lintian", { timeout: 1_800_000 }, async (context) => {
    if (findProgram("lintian", process.env["PATH"] ?? "") === undefined) context.skip("lintian is not installed");
    const { stdout } = await execa("lintian", ["--allow-root", "--fail-on", "error,warning", file], {
      reject: false,
      env: { HOME: scratch },
    });
    expect(stdout.split("\n").filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });

  it("brings what it deploys to others by npm, where no package for Debian brings the unit", async () => {
    const at = (name: string) => join(scratch, "deploys", name);
    await mkdir(at("root"), { recursive: true });
    await execa("dpkg-deb", ["-x", file, at("root")]);
    const job = {
      ...{ id: "copy", type: "local" },
      actions: [{ action: "sync", id: "copy", source: "/source/", dest: "/copy", opts: ["-a"] }],
    };
    await writeFile(at("other.yaml"), stringify({ rsync_id: "other", jobs: [job] }), { mode: 0o600 });
    // Everything that goes there is read before anybody is asked; that nobody answers is all that may be wrong.
    await writeFile(at("other.tgz"), "");
    const reach = { address: "127.0.0.1", port: await freePort(), user: "root" };
    const other = { ...reach, package: "other.tgz", instances: { other: { config: "other.yaml" } } };
    await writeFile(at("hosts.yaml"), stringify({ hosts: { other } }));
    const home = at("root/usr/lib/rsyncdirector");
    const { all, exitCode } = await execa(
      join(home, "bin/node"),
      [join(home, "dist/main.js"), "deploy", "plan", "--inventory", at("hosts.yaml")],
      { all: true, reject: false },
    );
    expect(all).toMatch(/Connection refused/);
    expect(all).not.toMatch(/ENOENT/);
    expect(exitCode).toBe(1);
  });

  it("is the same to the last byte wherever, whenever and by whom it is built", async () => {
    const elsewhere = join(scratch, "elsewhere");
    for (const path of projectFiles()) {
      await mkdir(dirname(join(elsewhere, path)), { recursive: true, mode: 0o700 });
      await copyFile(join(projectRoot, path), join(elsewhere, path));
      const { mode } = await stat(join(projectRoot, path));
      await chmod(join(elsewhere, path), mode & 0o700);
    }
    await symlink(join(projectRoot, "node_modules"), join(elsewhere, "node_modules"));
    const options = ["--compression", "fast", "--version", packagedVersion, "--out", elsewhere];
    const build = `umask 077; exec "$0" scripts/package-deb.mjs ${options.join(" ")}`;
    const { stdout } = await execa("sh", ["-c", build, process.execPath], {
      cwd: elsewhere,
      env: { SOURCE_DATE_EPOCH: packagedAt, TZ: "Pacific/Auckland", LC_ALL: "C", COLUMNS: "60" },
    });
    const [one, other] = await Promise.all([file, stdout.trim().split("\n").at(-1) ?? ""].map(describePackage));
    // What differs is told by name before the bytes are compared.
    expect(other?.files).toEqual(one?.files);
    expect(other?.sha256).toBe(one?.sha256);
  });
});
