import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runProgram } from "../../src/cli/program.ts";
import { loadConfig } from "../../src/config/load.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import {
  deletingScriptConfig,
  plainScriptConfig,
  trackingScriptConfig,
  type WatchScriptPlaces,
} from "../support/watch-script-configs.ts";

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  const status = await runProgram(args, {
    env: { HOME: "/home/tester" },
    stdout: { write: (text) => void (written.stdout += text) },
    stderr: { write: (text) => void (written.stderr += text) },
  });
  return { status, ...written };
}

const places: WatchScriptPlaces = {
  source: "/srv/rrd/snmp/1/jvm/",
  dest: "/srv/collected/snmp/2/",
  host: "192.0.2.29",
  user: "collector",
  key: "/home/collector/.ssh/id_rsa_rrd",
  directory: "/srv/rrd",
};

const sync = {
  action: "sync",
  id: "source",
  source: "/srv/rrd/snmp/1/jvm/",
  dest: "/srv/collected/snmp/2/",
  rsync: {
    archive: true,
    compress: true,
    verbose: true,
    update: true,
    checksum: true,
    partial: true,
    bwlimit: 1000,
    itemize_changes: true,
    stats: true,
  },
};
const job = {
  id: "watched",
  type: "remote",
  host: "192.0.2.29",
  user: "collector",
  private_ssh_key: "/home/collector/.ssh/id_rsa_rrd",
  watch: { debounce: 5 },
};
const logging = [{ type: "file", path: "/srv/rrd/sync.log", format: "text", level: "info" }];

const scripts = [
  {
    what: "that never deletes",
    text: plainScriptConfig(places),
    jobs: [{ ...job, actions: [{ ...sync, extensions: [".rrd", ".txt"] }] }],
  },
  {
    what: "that deletes",
    text: deletingScriptConfig(places),
    jobs: [{ ...job, actions: [{ ...sync, extensions: [".rrd", ".txt", ".properties", ".meta"] }] }],
  },
  {
    what: "that tracks changes, with the comment that JSON does not know",
    text: trackingScriptConfig(places),
    jobs: [
      {
        ...job,
        track_changes: {
          backup_dir: "/srv/rrd/backup/",
          log_file: "/srv/rrd/change_log.txt",
          diff_tool: "builtin",
        },
        actions: [{ ...sync, extensions: [".rrd", ".txt"] }],
      },
    ],
  },
];

describe("import of a watching script's file", () => {
  test.each(scripts)("writes that of the script $what as one watched job", async ({ text, jobs }) => {
    const directory = await makeTempDir();
    const [old, imported] = [join(directory, "config.json"), join(directory, "imported.yaml")];
    await writeFile(old, text, { mode: 0o600 });
    const { status, stdout, stderr } = await run("import", old, "--output", imported);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr.split("\n").filter(Boolean)).toEqual([
      `warning: ${old}:1:1: the file of the watching script was read as one watched job`,
      expect.stringMatching(/:1:1: jobs\[0\]\.watch: .* add delete: watch/),
      expect.stringMatching(/rsync_id: imported was taken for a name/),
      expect.stringMatching(/:3:19: state_file: is not used/),
      expect.stringMatching(/:7:28: jobs\[0\]\.actions\[0\]\.dest: files keep the directories/),
    ]);
    const shown = await run("import", old);
    expect(parse(shown.stdout)).toEqual({ rsync_id: "imported", logging, jobs });

    await chmod(imported, 0o600);
    const direct = await loadConfig(old, { env: { HOME: "/home/tester" } });
    const { config, warnings } = await loadConfig(imported, { env: { HOME: "/home/tester" } });
    expect(warnings).toEqual([]);
    expect({ ...config, file: "" }).toEqual({ ...direct.config, file: "" });
  });

  test("takes the line that it proposes for deletions", async () => {
    const file = join(await makeTempDir(), "config.json");
    const text = deletingScriptConfig(places).replace("{", '{\n    "watch": {"delete": "watch"},');
    await writeFile(file, text, { mode: 0o600 });
    const { config, warnings } = await loadConfig(file, { env: {} });
    expect(config.jobs[0]?.watch).toMatchObject({ deleteWatched: true, deleteOnFull: false, debounceMs: 5000 });
    expect(warnings.map(({ path }) => path)).not.toContain("jobs[0].watch");
  });

  test("names what is missing or wrong where it stands", async () => {
    const file = join(await makeTempDir(), "config.json");
    await writeFile(
      file,
      '{\n "source_dir": "data",\n "remote_sync": {\n  "remote_user": 5\n },\n "debounce_time": "x"\n}\n',
      {
        mode: 0o600,
      },
    );
    const { status, stderr } = await run("import", file);
    expect(status).toBe(0);
    const changes = stderr.split("\n").filter((line) => line.startsWith("to be changed"));
    expect(changes.map((line) => line.replaceAll(file, "F"))).toEqual([
      expect.stringMatching(/F:2:16: jobs\[0\]\.actions\[0\]\.source: must be an absolute path/),
      expect.stringMatching(/F:3:17: jobs\[0\]\.actions\[0\]\.dest: is missing/),
      expect.stringMatching(/F:3:17: jobs\[0\]\.host: is missing/),
      expect.stringMatching(/F:4:18: jobs\[0\]\.user: must be a user name; got 5/),
      expect.stringMatching(/F:6:19: jobs\[0\]\.watch\.debounce: must be a duration/),
    ]);
  });
});

describe("import of a csync2.cfg with the flags of the script that watched it", () => {
  const cluster = "group web { host host1 host2 host3; key /etc/csync2/csync2.key; include /srv/www; exclude *~; }\n";
  const allFlags = [
    ...["--config", "/etc/csync2/csync2.cfg", "--check-interval", "0.5", "--full-sync-interval", "3600"],
    ...["--num-lines-until-reset", "200000", "--num-batched-changes-threshold", "15000", "--rsync-threshold", "5000"],
    ...["--parallel-updates", "1", "--max-wait-time", "10", "-m", "async", "-N", "host1"],
  ];

  test("writes one watched job that loads as a configuration", async () => {
    const directory = await makeTempDir();
    const [old, imported] = [join(directory, "csync2.cfg"), join(directory, "cluster.yaml")];
    await writeFile(old, cluster);
    const { status, stderr } = await run("import", old, "--output", imported, "--", ...allFlags);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^warning: --mode async: .*\n$/) });
    await chmod(imported, 0o600);
    const { config, warnings } = await loadConfig(imported, { env: {} });
    expect(warnings).toEqual([]);
    expect(config.jobs).toMatchObject([
      {
        watch: {
          paths: ["/srv/www"],
          debounceMs: 500,
          maxDelayMs: 10_000,
          maxBatch: 15_000,
          fullSyncIntervalMs: 3_600_000,
        },
        actions: [{ kind: "csync2", hostname: "host1", parallelUpdates: 2, rsyncThreshold: 5000, resetAfter: 200_000 }],
      },
    ]);
  });

  test("takes the line of the script's own example", async () => {
    const file = join(await makeTempDir(), "csync2.cfg");
    await writeFile(file, cluster);
    const { status, stdout, stderr } = await run(
      ...["import", file, "--", "-N", "host1", "--mode", "thread", "--debug", "--disable-rsync"],
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^warning: --mode thread: .*\n$/) });
    const imported = parse(stdout) as { logging: unknown; jobs: [{ actions: [object] }] };
    expect(imported.logging).toEqual([{ type: "stdout", level: "debug" }]);
    expect(imported.jobs[0].actions[0]).not.toHaveProperty("rsync_threshold");
  });

  test("refuses flags with any other file, and says whose they are", async () => {
    const file = join(await makeTempDir(), "config.json");
    await writeFile(file, plainScriptConfig(places), { mode: 0o600 });
    expect(await run("import", file, "--", "-N", "host1")).toEqual({
      status: 78,
      stdout: "",
      stderr: `rsyncdirector: flags belong to a csync2.cfg, and ${file} is none: leave -N host1 out\n`,
    });
  });
});
