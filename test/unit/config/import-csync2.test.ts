import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importCsync2 } from "../../../src/config/import-csync2.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const cluster = `
nossl * *;
database mysql://user:word@db/csync2;   # not looked into
group web
{
        host HOST1@host1-eth1 host2 (host3);
        host host4;
        key /etc/csync2/csync2.key;
        include /srv/www;
        include "/srv/with space" /srv/a:b;
        include %homedir%/bob;
        exclude *~ .*;
        action { pattern /srv/www/*; exec "/bin/echo { ; }"; do-local; }
        backup-directory /var/backups/csync2;
        auto younger;
}
prefix homedir { on host[12]: /export/users; on *: /home; }
`;

async function importText(text: string, flags: string[] = [], ownName = "host1") {
  const directory = await makeTempDir();
  const file = join(directory, "csync2.cfg");
  await writeFile(file, text);
  const { tree, warnings, problems } = await importCsync2(file, flags, { ownName });
  const shown = (list: typeof warnings) => list.map((problem) => formatProblem(problem).replaceAll(directory, "D"));
  const [job] = tree["jobs"] as [{ watch: object; actions: [object] }];
  return { tree, job, watch: job.watch, action: job.actions[0], warnings: shown(warnings), problems: shown(problems) };
}

test("a csync2.cfg alone becomes a job that does what the script did by default", async () => {
  const { tree, warnings, problems } = await importText(cluster, ["--config", "/etc/csync2/csync2.cfg"]);
  expect({ warnings, problems }).toEqual({ warnings: [], problems: [] });
  expect(tree).toEqual({
    rsync_id: "csync2",
    jobs: [
      {
        id: "csync2",
        type: "local",
        watch: {
          paths: ["/export/users/bob", "/srv/a:b", "/srv/with space", "/srv/www"],
          exclude: ["*~", ".*"],
          debounce: 0.5,
          max_delay: 10,
          full_sync_interval: 3600,
          max_batch: 15_000,
        },
        actions: [
          {
            action: "csync2",
            id: "peers",
            config_file: "/etc/csync2/csync2.cfg",
            parallel_updates: 3,
            rsync_threshold: 5000,
            reset_after: 200_000,
          },
        ],
      },
    ],
  });
});

describe("flags", () => {
  test.each<[string, object]>([
    ["--check-interval 2", { debounce: 2 }],
    ["--max-wait-time 5", { max_delay: 5 }],
    ["--full-sync-interval 60", { full_sync_interval: 60 }],
    ["--num-batched-changes-threshold 50", { max_batch: 50 }],
    ["--num-batched-changes-threshold 30000", { max_batch: 30_000, full_sync_threshold: 30_000 }],
  ])("%s is a key of watch", async (flags, expected) => {
    const { watch, warnings, problems } = await importText(cluster, flags.split(" "));
    expect(watch).toMatchObject(expected);
    expect({ warnings, problems }).toEqual({ warnings: [], problems: [] });
  });

  test.each<[string, object]>([
    ["--rsync-threshold 7", { rsync_threshold: 7 }],
    ["--num-lines-until-reset 8", { reset_after: 8 }],
    ["--parallel-updates 0", { parallel_updates: 1 }],
    ["--parallel-updates 2", { parallel_updates: 2 }],
    ["-N host2", { hostname: "host2" }],
    ["-P host2,host4", { peers: ["host2", "host4"], parallel_updates: 2 }],
    ["--config /etc/csync2_cluster.cfg", { config: "cluster" }],
    ["-C cluster", { config: "cluster" }],
    ["-B -D /var/lib/csync2", { opts: ["-B -D /var/lib/csync2"] }],
  ])("%s is a key of the action", async (flags, expected) => {
    const { action, warnings, problems } = await importText(cluster, flags.split(" "));
    expect(action).toMatchObject(expected);
    expect({ warnings, problems }).toEqual({ warnings: [], problems: [] });
  });

  test("--disable-rsync, --debug and csync2's own place", async () => {
    const { tree, action } = await importText(cluster, ["--disable-rsync", "--debug", "--config", "/etc/csync2.cfg"]);
    expect(action).toEqual({ action: "csync2", id: "peers", parallel_updates: 3, reset_after: 200_000 });
    expect(tree["logging"]).toEqual([{ type: "stdout", level: "debug" }]);
  });

  test.each<[string, RegExp, object]>([
    ["--full-sync-interval 0", /^--full-sync-interval: 0 turned full syncs off; here one is made every hour/, {}],
    ["--max-wait-time 0", /^--max-wait-time: 0 has no counterpart/, {}],
    ["--num-batched-changes-threshold 0", /^--num-batched-changes-threshold: 0 has no counterpart/, {}],
    ["--rsync-threshold 0", /^--rsync-threshold: 0 has no counterpart/, {}],
    ["--check-interval 20", /^--max-wait-time: is shorter than --check-interval/, { debounce: 20, max_delay: 20 }],
    ["--mode thread", /^--mode thread: was left out/, {}],
  ])("%s is noted, and the result can be used", async (flags, note, expected) => {
    const { watch, warnings, problems } = await importText(cluster, flags.split(" "));
    expect(warnings).toEqual([expect.stringMatching(note)]);
    expect(problems).toEqual([]);
    expect(watch).toMatchObject(expected);
  });
});

describe("what is watched", () => {
  const group = (lines: string) => `group g { host host1 host2; key /k; ${lines} }`;

  test.each<[string, string, object]>([
    ["directories in others are watched with them", "include /srv /srv/www /srvx;", { paths: ["/srv", "/srvx"] }],
    ["a pattern is watched above its first wildcard", "include /srv/www/*.html;", { paths: ["/srv/www"] }],
    [
      "what is excluded below the only one is not",
      "include /srv; exclude /srv/cache /srv/logs/; exclude /other *~;",
      { paths: ["/srv"], exclude: ["*~", "/cache", "/logs"] },
    ],
    [
      "unless something below that is included",
      "include /srv; exclude /srv/cache /srv/logs; include /srv/logs/keep;",
      { paths: ["/srv"], exclude: ["/cache"] },
    ],
    ["or a later line includes it again", "exclude /srv/cache; include /srv;", { paths: ["/srv"] }],
    ["names are excluded unless others are included", "include /srv *.keep; exclude *~;", { paths: ["/srv"] }],
    [
      "groups of other hosts do not matter",
      "include /srv; exclude *~; } group other { host host3 host4; key /k; include /srv *~;",
      { paths: ["/srv"], exclude: ["*~"] },
    ],
    [
      "what one group excludes another may include",
      "include /srv; exclude *~; } group other { host host1 host4; key /k; include /etc;",
      { paths: ["/etc", "/srv"] },
    ],
    ["everything", "include /; exclude /proc;", { paths: ["/"], exclude: ["/proc"] }],
  ])("%s", async (_, lines, expected) => {
    const { watch } = await importText(group(lines));
    const { paths, exclude } = watch as { paths?: string[]; exclude?: string[] };
    expect({ paths, exclude }).toEqual({ exclude: undefined, ...expected });
  });

  test("comes from files that the first one names, too", async () => {
    const directory = await makeTempDir();
    await mkdir(join(directory, "conf.d"));
    await writeFile(join(directory, "conf.d/www.cfg"), group("include /srv/www;"));
    const { watch } = await importText(`config ${directory}/conf.d/www.cfg;\n`);
    expect(watch).toMatchObject({ paths: ["/srv/www"] });
  });
});

test("a host that the file does not know leaves something to be changed", async () => {
  const { warnings, problems } = await importText(cluster, ["-N", "elsewhere"]);
  expect(warnings).toEqual([
    expect.stringMatching(/^-N: this host is not in a group of D\/csync2\.cfg under the name/),
  ]);
  expect(problems).toEqual([expect.stringMatching(/^jobs\[0\]\.watch\.paths: is missing/)]);
});

test.each([
  ["group g {", "D/csync2.cfg: ends in the middle of a statement of csync2"],
  ["\nrsync_id: x\n", 'D/csync2.cfg:2: "rsync_id" is not understood as a statement of csync2'],
  ["config /nowhere.cfg;", /^\/nowhere\.cfg cannot be read: /],
])("refuses %j with its place", async (text, message) => {
  const directory = await makeTempDir();
  const file = join(directory, "csync2.cfg");
  await writeFile(file, text);
  const error: unknown = await importCsync2(file, []).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind: "usage" });
  const shown = (error as Error).message.replaceAll(directory, "D");
  expect(shown).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
});
