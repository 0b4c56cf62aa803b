import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeOwner } from "../../../../src/lock/lock-owner.ts";
import type { AcquireResult, LockTransport } from "../../../../src/lock/transport/lock-transport.ts";
import {
  openOperationRecord,
  recordOperations,
  type RecordLine,
} from "../../../../src/lock/transport/operation-record.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { lockContent } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { createMemoryTransport } from "../../../support/memory-lock-transport.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const never = new AbortController().signal;
const token = "aaaaaaaaaaaaaaaaaaaaaa";
const path = "/locks/p";
const claim = { path, token, content: lockContent({ token, job: "job", run: "run", state: "claim", ttl: 60, hb: 5 }) };

function openRecorded(around: (transport: LockTransport) => LockTransport = (transport) => transport) {
  const clock = new FakeClock();
  const lines: RecordLine[] = [];
  const transport = around(createMemoryTransport(new MemoryLockHost("backup01", clock), clock));
  const recorded = recordOperations({
    proc: "director:1:1",
    time: () => clock.monotonic(),
    write: (line) => void lines.push(line),
  })(transport);
  return { recorded, lines };
}

describe("the record of lock operations", () => {
  it("tells what was asked before it is sent, and what was answered", async () => {
    const { recorded, lines } = openRecorded((transport) => ({
      ...transport,
      check: (paths, signal) => {
        expect(lines).toHaveLength(1);
        return transport.check(paths, signal);
      },
    }));
    await recorded.check([path], never);
    expect(lines).toEqual([
      {
        t: expect.any(Number),
        proc: "director:1:1",
        id: 1,
        at: "invoke",
        host: "backup01",
        operations: [{ op: "check", path }],
      },
      { t: expect.any(Number), proc: "director:1:1", id: 1, at: "return", answers: [{ is: "absent" }] },
    ]);
  });

  it("tells what a claim is for, and every step of its trip", async () => {
    const { recorded, lines } = openRecorded();
    const held = { ...claim, content: claim.content.replace('"claim"', '"held" ') };
    await recorded.acquire({ claims: [claim], thenCheck: ["/locks/q"], thenPromote: [held] }, never);
    expect(lines).toMatchObject([
      {
        operations: [
          { op: "acquire", path, token, job: "job", run: "run", state: "claim", ttl: 60, hb: 5 },
          { op: "check", path: "/locks/q" },
          { op: "promote", path, token, state: "held" },
        ],
      },
      { answers: [{ is: "acquired" }, { is: "absent" }, { is: "promoted" }] },
    ]);
  });

  it("tells whose lock was found", async () => {
    const { recorded, lines } = openRecorded();
    await recorded.acquire({ claims: [claim], thenCheck: [] }, never);
    await recorded.release([{ path, token: "bbbbbbbbbbbbbbbbbbbbbb" }], never);
    expect(lines.at(-1)).toMatchObject({ answers: [{ is: "lost", found: { token, state: "claim" } }] });
  });

  const acquireAnswering = (result: AcquireResult) =>
    openRecorded((transport) => ({ ...transport, acquire: () => Promise.resolve(result) }));
  const request = { claims: [claim], thenCheck: ["/locks/q"], thenPromote: [claim] };

  it("takes what may have been done after a lost answer for unknown", async () => {
    const lost = { kind: "unknown", detail: "", mayHaveRun: true } as const;
    const { recorded, lines } = acquireAnswering({ claims: [lost], checks: [], promotions: [] });
    await recorded.acquire(request, never);
    const unknown = { is: "unknown", sent: true };
    expect(lines.at(-1)).toMatchObject({ answers: [unknown, unknown, unknown] });
  });

  it("takes what a refused claim has left undone for not tried", async () => {
    const { recorded, lines } = acquireAnswering({ claims: [{ kind: "busy" }], checks: [], promotions: [] });
    await recorded.acquire(request, never);
    expect(lines.at(-1)).toMatchObject({ answers: [{ is: "busy" }, { is: "not-tried" }, { is: "not-tried" }] });
  });

  it("goes to a file, and hurts nobody when it cannot", async () => {
    const owner = await describeOwner({ inst: "inst", name: "nas" });
    const clock = new FakeClock();
    const log = createMemoryLog();
    const transport = createMemoryTransport(new MemoryLockHost("backup01", clock), clock);
    const file = join(await makeTempDir(), "record.jsonl");
    await openOperationRecord(file, { owner, time: () => clock.monotonic(), log })(transport).check([path], never);
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as RecordLine).proc)).toEqual(
      Array.from({ length: 2 }, () => `nas:${process.pid}:${owner.start}`),
    );
    const nowhere = openOperationRecord("/nowhere/record", { owner, time: () => clock.monotonic(), log })(transport);
    expect(await nowhere.check([path], never)).toEqual([{ kind: "absent" }]);
    expect(JSON.stringify(log)).toContain("could not be recorded");
  });
});
