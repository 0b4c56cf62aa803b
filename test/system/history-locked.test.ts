import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { makeInstance } from "../support/instance.ts";
import { startLockingProcess } from "../support/locking-process.ts";
import { projectRoot } from "../support/project-files.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

const lockDatabase = `
  const Database = require("libsql");
  // The daemon may be writing just now.
  new Database(process.argv[1], { timeout: 30000 }).exec("BEGIN EXCLUSIVE");
  console.log("locked");
  setInterval(() => {}, 1000);
`;

/** Locks a database, which is made when it is missing, in another process. */
function lockHistory(file: string) {
  return startLockingProcess('cd "$1" && exec "$2" -e "$3" "$4"', projectRoot, process.execPath, lockDatabase, file);
}

describe("a daemon whose history another process keeps locked", () => {
  it.each(["before the daemon starts", "while it runs"])(
    "runs its jobs and says what is wrong, and records them when it is let go: locked %s",
    async (when) => {
      const instance = await makeInstance(({ path }) => ({
        jobs: [
          {
            id: "copy",
            type: "local",
            lock_files: [{ type: "local", path: path("locks/copy") }],
            actions: [{ action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts: ["-a"] }],
          },
        ],
      }));
      await writeFile(instance.path("source/file"), "content");
      const file = instance.path("state/history-test.db");
      const early = when === "while it runs" ? undefined : await lockHistory(file);
      const director = await instance.start();
      const other = early ?? (await lockHistory(file));

      director.signal("SIGHUP");
      const finished = await director.waitForLine(is("run finished"));
      expect(finished).toMatchObject({ outcome: "ok" });
      expect(await readFile(instance.path("dest/file"), "utf8")).toBe("content");
      await director.waitForLine(is("history cannot be written, jobs run on"));
      expect(await instance.scrape()).toMatch(/^rsyncdirector_history_db_ok(\{.*\})? 0$/m);
      const health = await fetch(`http://127.0.0.1:${instance.metricsPort}/healthz`);
      expect([health.status, await health.text()]).toEqual([200, expect.stringContaining("degraded")]);

      await other.letGo();
      await director.waitForLine(is("history is written again"));
      expect(await instance.scrape()).toMatch(/^rsyncdirector_history_db_ok(\{.*\})? 1$/m);
      const { stdout } = await instance.cli("history", "--json");
      expect(stdout).toContain(String(finished["run"]));
      director.signal("SIGTERM");
      expect(await director.exited).toBe(0);
    },
  );
});
