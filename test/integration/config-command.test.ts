import { chmod, copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runProgram } from "../../src/cli/program.ts";
import { copyFixtures, expectedMessage } from "../support/config-fixtures.ts";
import { projectRoot, readProjectFile } from "../support/project-files.ts";
import { makeTempDir } from "../support/temp-dir.ts";

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  const status = await runProgram(args, {
    env: { HOME: "/home/tester" },
    stdout: { write: (text) => void (written.stdout += text) },
    stderr: { write: (text) => void (written.stderr += text) },
  });
  return { status, ...written };
}

describe("config check", () => {
  test("says OK and the warnings of a file that can be used", async () => {
    const file = join(await copyFixtures("legacy"), "original-syncs.yaml");
    const { status, stdout, stderr } = await run("config", "check", file);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${file}: OK\n` });
    const [layout, key, remedy] = stderr.split("\n");
    expect(layout).toBe(
      `warning: ${file}:11:7: jobs[0].actions: syncs is the older layout: it was read as actions named sync-1, sync-2 and so on`,
    );
    expect(key).toMatch(/jobs\[0\].private_ssh_key: \/root\/.ssh\/vault does not exist \(yet\)/);
    expect(remedy).toBe(
      "  → ssh-keygen -t ed25519 -N '' -f /root/.ssh/vault && ssh-copy-id -i /root/.ssh/vault.pub root@vault",
    );
  });

  test("looks at every file, and ends with 78 if one of them is wrong", async () => {
    const directory = await copyFixtures("invalid");
    const good = join(await copyFixtures("valid"), "everything.yaml");
    const { status, stdout, stderr } = await run(
      "config",
      "check",
      join(directory, "bad-port.yaml"),
      good,
      join(directory, "none.yaml"),
    );
    expect({ status, stdout }).toEqual({ status: 78, stdout: `${good}: OK (host all-keys)\n` });
    expect(stderr).toContain((await expectedMessage("bad-port.yaml"))?.split("\n").at(-1));
    expect(stderr).toContain("none.yaml: there is no such file");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("needs to be told which file", async () => {
    expect(await run("config", "check")).toMatchObject({
      status: 78,
      stderr: expect.stringContaining("no configuration given"),
    });
  });
});

describe("config show", () => {
  test("prints the configuration with defaults and without secrets, as YAML and as JSON", async () => {
    const file = join(await makeTempDir(), "x.yaml");
    const jobs =
      "jobs: [{ id: a, type: local, actions: [{ action: command, id: c, command: curl https://me:hunter2@host/ }] }]\n";
    await writeFile(file, `rsync_id: x\ncron_schedule: "0 1 * * *"\n${jobs}`, { mode: 0o600 });
    const yaml = await run("config", "show", file);
    const json = await run("config", "show", "--config", file, "--json");
    expect([yaml.status, json.status]).toEqual([0, 0]);
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
    expect(JSON.parse(json.stdout)).toMatchObject({
      metrics: { port: 9090 },
      jobs: [{ concurrency: "queue", actions: [{ args: ["https://me:[redacted]@host/"] }] }],
    });
  });

  test("ends with 78 and every mistake for a wrong file", async () => {
    const directory = await copyFixtures("invalid");
    const { status, stdout, stderr } = await run("config", "show", join(directory, "bad-id.yaml"));
    expect({ status, stdout }).toEqual({ status: 78, stdout: "" });
    expect(stderr).toContain("jobs[0].id: must be a name");
  });
});

test("config schema prints the schema", async () => {
  expect(await run("config", "schema")).toEqual({
    status: 0,
    stdout: readProjectFile("resources/config.schema.json"),
    stderr: "",
  });
});

test("config init writes a sample that can be used at once, and never overwrites", async () => {
  const file = join(await makeTempDir(), "new.yaml");
  expect(await run("config", "init", file)).toMatchObject({ status: 0 });
  const text = await readFile(file, "utf8");
  expect(text.split("\n", 1)[0]).toBe(
    `# yaml-language-server: $schema=${join(projectRoot, "resources/config.schema.json")}`,
  );
  expect((await stat(file)).mode & 0o777 & ~0o640).toBe(0);
  const checked = await run("config", "check", file);
  expect(checked).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^[^\n]*does not exist \(yet\)[^\n]*\n[^\n]*\n$/),
  });

  await writeFile(file, "mine");
  expect(await run("config", "init", file)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("exists already"),
  });
  expect(await readFile(file, "utf8")).toBe("mine");
});

describe("import", () => {
  test.each(["original-actions.yaml", "original-syncs.yaml"])("writes %s in the present format", async (name) => {
    const directory = await copyFixtures("legacy");
    const file = join(directory, "imported.yaml");
    expect(await run("import", join(directory, name), "--output", file)).toMatchObject({ status: 0, stdout: "" });
    await chmod(file, 0o600);
    const { status, stderr } = await run("config", "check", file);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^[^\n]*does not exist \(yet\)[^\n]*\n[^\n]*\n$/);
    const before = await run("config", "show", join(directory, name), "--json");
    const after = await run("config", "show", file, "--json");
    const dialect = name === "original-actions.yaml" ? "apscheduler" : "linux";
    expect(JSON.parse(after.stdout)).toEqual({ ...(JSON.parse(before.stdout) as object), cron_dialect: dialect });
  });

  test("keeps weekdays as the original counted them, and says so", async () => {
    const directory = await copyFixtures("legacy");
    const { stdout, stderr } = await run("import", join(directory, "original-actions.yaml"));
    expect(parse(stdout)).toMatchObject({ cron_schedule: "0 2 * * 1-5", cron_dialect: "apscheduler" });
    expect(stderr).toContain("cron_dialect: apscheduler was added");
  });

  test("turns the watching script's JSON into a watched job, and names what has no counterpart", async () => {
    const directory = await copyFixtures("legacy");
    const { status, stdout, stderr } = await run("import", join(directory, "watch-script.json"));
    expect(status).toBe(0);
    expect(parse(stdout)).toMatchObject({
      logging: [{ type: "file", path: "/var/log/watch.log", level: "warn" }],
      jobs: [
        {
          host: "192.0.2.17",
          watch: { debounce: 7 },
          track_changes: { diff_tool: "builtin" },
          actions: [{ rsync: { compress: false, bwlimit: 500, stats: true } }],
        },
      ],
    });
    for (const key of ["state_file", "rsync_options.frobnicate", "verbosity", "delete: watch"])
      expect(stderr).toContain(key);
    expect(stderr).not.toContain("to be changed");
  });

  test("does not overwrite a file, and leaves variables alone", async () => {
    const directory = await copyFixtures("legacy");
    const file = join(directory, "original-syncs.yaml");
    await copyFile(file, join(directory, "copy.yaml"));
    expect(await run("import", file, "-o", join(directory, "copy.yaml"))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("exists already"),
    });
    await writeFile(file, (await readFile(file, "utf8")).replace("/vault/etc", "${BACKUP_ROOT}/etc"));
    expect((await run("import", file)).stdout).toContain("${BACKUP_ROOT}/etc");
  });

  test("ends with 78 for a file that cannot be read", async () => {
    expect(await run("import", join(await makeTempDir(), "none.json"))).toMatchObject({ status: 78, stdout: "" });
  });
});
