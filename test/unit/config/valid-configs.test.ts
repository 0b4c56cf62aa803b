import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeConfig } from "../../../src/config/describe-config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/resolved.ts";
import { writeYaml } from "../../../src/config/write-yaml.ts";
import { copyFixtures, fixtureEnv, fixtureNames } from "../../support/config-fixtures.ts";
import { readProjectFile } from "../../support/project-files.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const cases = ["valid", "legacy"].flatMap((kind) => fixtureNames(kind).map((name) => ({ kind, name })));

async function loadText(text: string) {
  const file = join(await makeTempDir(), "config.yaml");
  await writeFile(file, text, { mode: 0o600 });
  return loadConfig(file, { env: fixtureEnv });
}

/** What config show prints says the dialect, whether the file did or not. */
function withDialectChosen(config: Config): Config {
  const choose = <Owner extends Pick<Config, "scheduling">>(owner: Owner) => ({
    ...owner,
    scheduling: { ...owner.scheduling, dialectChosen: true },
  });
  return { ...choose(config), jobs: config.jobs.map(choose) };
}

/** Directories are shown in their one spelling. */
function shownSpelling({ message }: { message: string }): string {
  return message.replaceAll(/\/(?=[ ,])/g, "").replaceAll(/(?<=^| )~\//g, "/home/tester/");
}

const limitsNothing =
  "limits nothing: no sync of the job deletes. Set rsync: {delete: true} in the sync, or delete in watch, if it should";

/** What `defaults` says to all is told where a job says it itself, and config show writes it out there. */
const fromDefaults: Readonly<Record<string, readonly string[]>> = {
  "watched.yaml": [`jobs[1].guard.max_delete: ${limitsNothing}`, `jobs[4].guard.max_delete: ${limitsNothing}`],
};

describe("a good configuration", () => {
  test.each(cases)("$kind/$name loads, and what config show prints of it loads as the same", async ({ kind, name }) => {
    const { config, warnings } = await loadConfig(join(await copyFixtures(kind), name), { env: fixtureEnv });
    expect(config.jobs.length).toBeGreaterThan(0);
    const again = await loadText(writeYaml(describeConfig(config)));
    expect({ ...again.config, file: "" }).toEqual({ ...withDialectChosen(config), file: "" });
    const known = new Set(warnings.map(shownSpelling));
    const further = again.warnings.filter((warning) => !known.has(shownSpelling(warning)));
    expect(further.map(({ path, message }) => `${path}: ${message}`)).toEqual(fromDefaults[name] ?? []);
    // Not even where the file itself drew one.
    expect(again.warnings.filter(({ message }) => message.includes("YAML 1."))).toEqual([]);
  });

  test("is shown with every text as it is, however it looks to a reader of YAML", async () => {
    const words = [
      "off",
      "yes",
      "N",
      "null",
      "~",
      "",
      "12:30",
      "0o17",
      "017",
      "0x1F",
      "1_000",
      "1e3",
      ".5",
      ".inf",
      "2026-12-01",
    ];
    const texts = [
      "<<",
      "=",
      "*",
      "&a",
      "!x",
      "- x",
      "a: b",
      "#",
      "%",
      "@",
      "`",
      "|",
      ">",
      "two\nlines\n",
      " x ",
      "${X}",
      "é\u00a0",
      "x".repeat(200),
    ];
    const args = [...words, ...texts].map((text) => text.replace("${", () => "$${"));
    const job = { id: "a", type: "local", actions: [{ action: "command", id: "c", command: "echo", args }] };
    const { config, warnings } = await loadText(
      JSON.stringify({ rsync_id: "x", cron_schedule: "0 3 * * *", jobs: [job] }),
    );
    const again = await loadText(writeYaml(describeConfig(config)));
    expect(again.config.jobs[0]?.actions).toMatchObject([{ argv: ["echo", ...words, ...texts] }]);
    expect(again.warnings.map(({ message }) => message)).toEqual(warnings.map(({ message }) => message));
  });

  test("may say off where a key takes it, and is told where it does not", async () => {
    const { warnings } = await loadText(`rsync_id: x
defaults: { hold: off }
jobs:
  - id: a
    type: local
    hold: off
    watch: { delete: off }
    actions: [{ action: sync, id: off, source: /a, dest: /b, rsync: { archive: true } }]
`);
    expect(warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "jobs[0].actions[0].id: off is a text in YAML 1.2: write false, or quote it if the text is meant",
    ]);
  });

  test("the annotated sample loads without a warning, and names its schema in the first line", async () => {
    const sample = readProjectFile("resources/rsyncdirector.yaml");
    expect(sample.split("\n", 1)[0]).toBe("# yaml-language-server: $schema=./config.schema.json");
    const { config, warnings } = await loadText(sample);
    expect(warnings).toEqual([]);
    expect(config.jobs.map((job) => job.id)).toEqual(["documents", "offsite", "website"]);
  });

  test("is frozen at every depth", async () => {
    const { config } = await loadText(readProjectFile("resources/rsyncdirector.yaml"));
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(config)).toBe(true);
  });

  test("gives every warning its line", async () => {
    const { warnings } = await loadConfig(join(await copyFixtures("valid"), "warnings.yaml"), { env: fixtureEnv });
    expect(warnings.map(({ line, path }) => `${line} ${path}`)).toEqual([
      "2 cron_schedule[1]",
      "4 history.keep_runs",
      "5 web.allow_actions",
      "10 jobs[0].host",
      "12 jobs[0].lock_files[0].host",
      "13 jobs[0].lock_files[1]",
      "14 jobs[0].lock_files[2]",
      "16 jobs[0].lock_files[4]",
      "18 jobs[0].actions[0].source",
      "18 jobs[0].actions[0].dest",
      "18 jobs[0].actions[0].opts",
      "19 jobs[0].actions[1]",
      "19 jobs[0].actions[1].source",
      "20 jobs[0].actions[2].command",
      "20 jobs[0].actions[2].args[0]",
      "20 jobs[0].actions[2].args[1]",
    ]);
  });

  test("is warned of a lease that a director that hangs may outlive, and of a short one without a hold lock", async () => {
    const file = join(await copyFixtures("valid"), "lease-warnings.yaml");
    const { warnings } = await loadConfig(file, { env: fixtureEnv });
    expect(warnings.map(({ line, path, message }) => `${line} ${path}: ${message}`)).toEqual([
      "3 lock.renew_deadline: 24s should be longer than 1m 30s: systemd ends a director that hangs after 1m (WatchdogSec), and its job may take 30s to stop; a director that works would have stopped it before",
      "5 defaults.hold: off, with a ttl of 10m: at least 15m is recommended, for whoever breaks the lock of a dead director cannot ask whether anything of it still writes",
      "10 jobs[0].lock.renew_deadline: 1m 30s should be longer than 1m 30s: systemd ends a director that hangs after 1m (WatchdogSec), and its job may take 30s to stop; a director that works would have stopped it before",
      "20 jobs[2].hold: off, with a ttl of 14m: at least 15m is recommended, for whoever breaks the lock of a dead director cannot ask whether anything of it still writes",
      "26 jobs[3].hold: off, with a ttl of 14m: at least 15m is recommended, for whoever breaks the lock of a dead director cannot ask whether anything of it still writes",
    ]);
  });

  test("is warned by the time that the units give to a director that hangs", () => {
    for (const unit of ["rsyncdirector@.service", "rsyncdirector-push@.service"]) {
      expect(readProjectFile(`systemd/${unit}`)).toContain("\nWatchdogSec=60\n");
    }
  });

  test("is not warned of a lock that nobody breaks, whatever becomes of its owner", async () => {
    const job = { id: "a", type: "local", hold: "off", actions: [{ action: "command", id: "c", command: "true" }] };
    const locked = { ...job, lock_files: [{ type: "local", path: "/run/x" }] };
    const lock = { ttl: 0, renew_deadline: 60, heartbeat: 20 };
    const config = { rsync_id: "x", cron_schedule: "0 3 * * *", lock, jobs: [locked] };
    const { warnings } = await loadText(JSON.stringify(config));
    expect(warnings).toEqual([]);
  });
});
