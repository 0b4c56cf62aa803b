import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { describeConfig } from "../../../src/config/describe-config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/resolved.ts";
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

describe("a good configuration", () => {
  test.each(cases)("$kind/$name loads, and what config show prints of it loads as the same", async ({ kind, name }) => {
    const { config } = await loadConfig(join(await copyFixtures(kind), name), { env: fixtureEnv });
    expect(config.jobs.length).toBeGreaterThan(0);
    const again = await loadText(stringify(describeConfig(config)));
    expect({ ...again.config, file: "" }).toEqual({ ...withDialectChosen(config), file: "" });
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
      "15 jobs[0].actions[0].source",
      "15 jobs[0].actions[0].dest",
      "15 jobs[0].actions[0].opts",
      "16 jobs[0].actions[1]",
      "16 jobs[0].actions[1].source",
      "17 jobs[0].actions[2].command",
      "17 jobs[0].actions[2].args[0]",
      "17 jobs[0].actions[2].args[1]",
    ]);
  });
});
