import { existsSync } from "node:fs";
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { createLocalTransport } from "../../src/lock/transport/local-transport.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { recordOperations, type RecordLine } from "../../src/lock/transport/operation-record.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { checkHistory } from "../chaos/check-history.ts";
import { pairOperations } from "../chaos/history.ts";
import { MadeUpHistory } from "../chaos/made-up-history.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;
const tokens = ["aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccc"] as const;

/** Two clients with recorded transports on one real lock file; time passes by hand. */
async function openScene(breakIt: (transport: LockTransport) => LockTransport) {
  const path = join(await makeTempDir(), "lock");
  let now = 1000;
  // Every question and every answer has a time of its own.
  const clock: Clock = { monotonic: () => (now += 20), now: () => 0, setTimer: () => () => undefined };
  const lines: RecordLine[] = [];
  const transportOf = (name: string) =>
    recordOperations({
      proc: `${name}:1:1`,
      time: () => clock.monotonic(),
      write: (line) => void lines.push(line),
    })(breakIt(createLocalTransport({ runTool, operationTimeoutMs: 20_000 })));
  return {
    path,
    pass: (ms: number) => void (now += ms),
    a: transportOf("a"),
    b: transportOf("b"),
    violations: () => {
      const { setup } = new MadeUpHistory(["a", "b"].map((name) => ({ name, locks: [path], fenced: false })));
      const operations = pairOperations(lines).map((operation) => ({ ...operation, host: "lockhost" }));
      const judged = checkHistory({ setup, writers: [], events: [], operations });
      return judged.violations.map(({ property, what }) => `${property} ${what.replaceAll(path, "P")}`);
    },
  };
}

const claim = (path: string, token: string, job: string) => {
  return { path, token, content: lockContent({ token, job, ttl: 62, hb: 6 }) };
};
const take = (transport: LockTransport, path: string, token: string, job: string) =>
  transport.acquire({ claims: [claim(path, token, job)], thenCheck: [] }, never);

describe("the checker, shown what a client really did", () => {
  it("has nothing against the client as it is", async () => {
    const { path, a, b, violations } = await openScene((transport) => transport);
    await Promise.all([take(a, path, tokens[0], "a"), take(b, path, tokens[1], "b")]);
    await a.release([{ path, token: tokens[0] }], never);
    await b.release([{ path, token: tokens[1] }], never);
    for (const [transport, job] of [
      [a, "a"],
      [b, "b"],
    ] as const) {
      await take(transport, path, tokens[2] + job, job);
      await transport.release([{ path, token: tokens[2] + job }], never);
    }
    expect(violations()).toEqual([]);
  });

  it("sees a client that looks first and writes then", async () => {
    let looked = 0;
    let bothLooked: () => void = () => undefined;
    const looks = new Promise<void>((resolve) => (bothLooked = resolve));
    const { path, a, b, violations } = await openScene((transport) => ({
      ...transport,
      acquire: async ({ claims }) => {
        const free = !existsSync(claims[0]?.path ?? "");
        looked += 1;
        if (looked === 2) bothLooked();
        await looks;
        for (const { path: at, content } of claims) if (free) await writeFile(at, content);
        return { claims: claims.map(() => ({ kind: "acquired" })), checks: [], promotions: [] };
      },
    }));
    await Promise.all([take(a, path, tokens[0], "a"), take(b, path, tokens[1], "b")]);
    await a.check([path], never);
    await a.release([{ path, token: tokens[0] }], never);
    await b.release([{ path, token: tokens[1] }], never);
    expect(violations()).toContainEqual(expect.stringMatching(/^S1 P was owned by [ab] .* and by [ab]/));
  });

  it("sees a client that removes a stale lock by its name", async () => {
    const { path, pass, a, b, violations } = await openScene((transport) => ({
      ...transport,
      break: async ({ path: at }) => {
        await unlink(at);
        return { kind: "broken" };
      },
    }));
    await take(a, path, tokens[0], "a");
    pass(300_000);
    const stale = { path, token: tokens[0], mtime: 0, olderThanSeconds: null };
    await b.break(stale, never);
    await take(b, path, tokens[1], "b");
    expect(await readFile(path, "utf8")).toContain(tokens[1]);
    await a.check([path], never);
    // It had seen the same stale lock, and was slow.
    await a.break(stale, never);
    await take(a, path, tokens[2], "a");
    expect(violations()).toContainEqual(expect.stringMatching(/^S4 P \(b+\) vanished/));
    expect(violations()).toContainEqual(expect.stringMatching(/^S1 P was owned by b .* and by a/));
  });
});
