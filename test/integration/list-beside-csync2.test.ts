import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Csync2Action } from "../../src/config/resolved.ts";
import { findProgram } from "../../src/process/find-program.ts";
import { filesOf, makeWatchedSync } from "../support/watched-sync.ts";

const rsync = findProgram("rsync", process.env["PATH"] ?? "") ?? "rsync";

const csync2: Csync2Action = {
  ...{ kind: "csync2", id: "web", systemDir: "/etc", config: undefined, hostname: undefined, paths: [], peers: [] },
  ...{ parallelUpdates: 1, rsyncThreshold: undefined, resetAfter: undefined, opts: [], mode: "update" },
  ssh: {} as Csync2Action["ssh"],
};

test.each(["named in its paths", "named by its own configuration"])(
  "a change of what only csync2 carries, %s, is none of the sync's",
  async (where) => {
    const sync = await makeWatchedSync(rsync);
    const shared = join(sync.directory, "shared");
    await mkdir(shared);
    await sync.fill("source", ["new"]);
    const paths = where === "named in its paths" ? [shared] : [];
    const changes = [`${shared}/file`, `${sync.source}/new`].map((path) => ({ path, kind: "changed" as const }));
    const { outcome, reasons } = sync.full({
      scope: { kind: "paths", changes },
      watch: { paths: [sync.source, shared] },
      job: { actions: [{ ...csync2, paths }] },
    });
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect([await filesOf(sync.dest), reasons]).toEqual([["new"], []]);
  },
);
