import { readdir, readFile, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { openLedgerFile } from "../../src/store/change-ledger-file.ts";
import { loadLibsqlDriver } from "../../src/store/libsql-driver.ts";
import { makeInstance } from "../support/instance.ts";

const day = 86_400_000;
const warning = "the clock is far ahead of when it was last seen";

it("a run of the command line deletes no previous copy by a clock that is in doubt, and says so", async () => {
  const instance = await makeInstance(({ path }) => ({
    logging: [{ type: "file", path: path("director.log"), format: "json" }],
    jobs: [
      {
        ...{ id: "www", type: "local", track_changes: { keep_days: 30 } },
        actions: [{ action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts: ["-a"] }],
      },
    ],
  }));
  const clockFile = instance.path("state/clock-test.json");
  const remember = (believed: number) => writeFile(clockFile, JSON.stringify({ v: 1, believed, strangeSince: null }));
  const seen = async () => JSON.parse(await readFile(clockFile, "utf8")) as Record<string, number | null>;
  const copies = () => readdir(instance.path("state/changes-test/versions"));
  const run = async (content: string) => {
    await writeFile(instance.path("source/file"), content);
    expect(await instance.cli("run", "www")).toMatchObject({ exitCode: 0 });
  };
  const begun = Date.now();
  await run("1\n");
  expect((await seen())["believed"]).toBeGreaterThanOrEqual(begun);
  await run("22\n");
  expect(await copies()).toHaveLength(1);

  // As if all of that were a hundred days ago.
  const file = instance.path("state/changes-test/ledger.db");
  const opening = { instance: "test", now: 0, onDamaged: () => undefined };
  const ledger = openLedgerFile(await loadLibsqlDriver(), file, opening);
  ledger.run("UPDATE entries SET at = at - ?", 100 * day);
  ledger.close();
  const longAgo = Date.now() - 100 * day;
  await remember(longAgo);
  await run("333\n");
  expect(await copies()).toHaveLength(2);
  expect(await seen()).toMatchObject({ believed: longAgo, strangeSince: expect.any(Number) });
  expect((await readFile(instance.path("director.log"), "utf8")).split(warning)).toHaveLength(2);

  await remember(Date.now());
  await run("4444\n");
  expect(await copies()).toHaveLength(2);
  expect(await seen()).toMatchObject({ strangeSince: null });
});
