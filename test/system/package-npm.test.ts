import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { projectRoot } from "../support/project-files.ts";

describe("the npm package, installed globally", () => {
  let scratch: string;
  let program: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-npm-"));
    const packed = await execa("npm", ["pack", "--silent", "--pack-destination", scratch], { cwd: projectRoot });
    const archive = packed.stdout;
    const how = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    await execa("npm", ["install", "--global", "--prefix", join(scratch, "prefix"), ...how, join(scratch, archive)], {
      cwd: scratch,
      // A setting of this project, which whoever runs the tests by npm hands down.
      env: { npm_config_engine_strict: "false" },
    });
    program = join(scratch, "prefix/bin/rsyncdirector");
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it("runs a job with nothing but what it brought", async () => {
    const at = (name: string) => join(scratch, "work", name);
    for (const name of ["source", "state", "run"]) await mkdir(at(name), { recursive: true });
    await writeFile(at("source/file"), "text\n");
    const config = {
      ...{ rsync_id: "npm", state_dir: at("state"), pid_file_dir: at("run") },
      jobs: [
        {
          ...{ id: "copy", type: "local" },
          actions: [{ action: "sync", id: "copy", source: `${at("source")}/`, dest: at("copy"), opts: ["-a"] }],
        },
      ],
    };
    await writeFile(at("npm.yaml"), stringify(config), { mode: 0o600 });
    const { version } = JSON.parse(await readFile(join(projectRoot, "package.json"), "utf8")) as { version: string };
    const run = async (...args: string[]) => (await execa(program, args, { cwd: scratch })).stdout;
    expect(await run("--version")).toBe(version);
    expect(await run("run", "--config", at("npm.yaml"))).toContain("ok");
    expect(await readFile(at("copy/file"), "utf8")).toBe("text\n");
    expect(await run("history", "--config", at("npm.yaml"))).toContain("ok");
  });

  it("brings the units and what they need", async () => {
    const installed = join(scratch, "prefix/lib/node_modules/rsyncdirector");
    const files = [
      ...(await readdir(join(installed, "systemd"))),
      ...(await readdir(join(installed, "packaging/debian"))),
    ];
    expect(files).toEqual(
      expect.arrayContaining([
        "rsyncdirector@.service",
        "rsyncdirector-push@.service",
        "sysusers.conf",
        "tmpfiles.conf",
      ]),
    );
  });
});
