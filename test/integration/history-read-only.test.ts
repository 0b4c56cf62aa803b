import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHistory } from "../../src/store/open-history.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { emitRun, newEvents } from "../support/history-samples.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

test.for(["an earlier history", "nothing"])(
  "jobs run while the history's file system is read-only and has %s, and their runs are in it afterwards",
  async (there, context) => {
    const disk = await mountTmpfs("size=4m");
    if ("why" in disk) return context.skip(disk.why);
    const clock = new FakeClock();
    const open = async (directory: string) => {
      const file = join(directory, "history.db");
      const [events, log] = [newEvents(), createMemoryLog()];
      const retention = { keepRuns: 1000, keepMs: 86_400_000 };
      return { events, log, history: await openHistory({ file, retention, events, clock, log }) };
    };
    const expected = ["meanwhile"];
    if (there !== "nothing") {
      // Written elsewhere, so that no open file keeps this file system from becoming read-only.
      const elsewhere = await makeTempDir();
      const { history, events } = await open(elsewhere);
      emitRun(events, { runId: "before", at: clock.now(), jobs: [{ id: "a" }] });
      history.close();
      await cp(elsewhere, disk.directory, { recursive: true });
      expected.unshift("before");
    }
    await disk.remount("ro");
    const { history, events, log } = await open(disk.directory);
    emitRun(events, { runId: "meanwhile", at: clock.now(), jobs: [{ id: "a" }] });
    expect(history.state().ok).toBe(false);
    expect(history.ledger.claim("a", 1, null)).toBe(true);
    expect(log.messages("error")).toEqual(["history cannot be written, jobs run on"]);

    await disk.remount("rw");
    await clock.advance(120_000);
    expect(history.state()).toEqual({ ok: true, detail: "" });
    const runs = history.query((ask) => ask.listRuns({ limit: 100 })) ?? [];
    expect(runs.map(({ runId }) => runId).toSorted()).toEqual(expected);
    history.close();
  },
);
