import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { resolveChannel } from "../../../src/config/resolve-notify.ts";
import type { RawChannel } from "../../../src/config/schema-notify.ts";
import { tellFreshness } from "../../../src/daemon/notifying.ts";
import type { Freshness, JobStatus } from "../../../src/model/status.ts";
import { parseNotifyState } from "../../../src/notify/notify-file.ts";
import { openNotifier } from "../../../src/notify/notifier.ts";
import { EventLog } from "../../support/event-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { startHttpSink } from "../../support/http-sink.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function setUp(raw: readonly RawChannel[], jobs: Record<string, string[]> = { home: [] }, file?: string) {
  const events = new EventLog();
  const log = createMemoryLog();
  const state = file ?? join(await makeTempDir(), "state", "notify.json");
  const settings = (channels: readonly RawChannel[]) => ({
    channels: channels.map((channel) => resolveChannel(channel, "/root")),
    jobs: new Map(Object.entries(jobs)),
  });
  const deps = { rsyncId: "nas", hostname: "nas01", events, clock: systemClock, log, env: {}, version: "1" };
  const notifier = await openNotifier({ ...deps, ...settings(raw), file: state });
  const end = (kind: "ok" | "failed" | "skipped", more: object = {}) => {
    const outcome = { kind, message: "no", actionId: null, cause: "already-running", ...more } as never;
    events.emit("job:finished", { runId: "run", jobId: "home", outcome, startedAt: 0, at: Date.now() });
  };
  return { events, log, file: state, notifier, settings, end };
}

const bodyTemplate = '{"event": "{{event}}", "target": "{{target}}", "message": "{{message}}"}';
const told = (bodies: readonly { body: string }[]) =>
  bodies.map(({ body }) => {
    const { event, target } = JSON.parse(body) as { event: string; target: string };
    return target === "" ? event : `${event} ${target}`;
  });

describe("the notifier", () => {
  it("tells of each target by itself, and what the job says only where no target failed", async () => {
    const sink = await startHttpSink();
    const test = await setUp([{ type: "webhook", url: sink.url, body: bodyTemplate }], { home: ["one", "two"] });
    const result = (targetId: string, kind: "ok" | "failed") =>
      test.events.emit("target:result", {
        runId: "run",
        jobId: "home",
        targetId,
        outcome: { kind, message: "down" },
        at: Date.now(),
      });
    result("one", "ok");
    result("two", "failed");
    test.end("failed");
    test.end("failed", { message: "no lock" });
    result("one", "ok");
    result("two", "ok");
    test.end("ok");
    await test.notifier.close(5000);
    expect(told(sink.received)).toEqual(["failure two", "failure", "recovery two", "recovery"]);
  });

  it("says nothing of jobs that somebody has disabled, and of other skips after their number", async () => {
    const sink = await startHttpSink();
    const test = await setUp([{ type: "webhook", url: sink.url, after_skips: 2, body: bodyTemplate }]);
    for (let run = 0; run < 5; run += 1) test.end("skipped", { cause: "disabled" });
    test.end("skipped");
    test.end("skipped", { cause: "block-timeout" });
    await test.notifier.close(5000);
    expect(told(sink.received)).toEqual(["skipped"]);
  });

  it("hears once a minute how fresh the copies are", async () => {
    const sink = await startHttpSink();
    const test = await setUp([{ type: "webhook", url: sink.url, body: bodyTemplate }]);
    const clock = new FakeClock();
    let freshness: Freshness = "fresh";
    const statuses = () => {
      const targets = [
        { targetId: "local", freshness, lastSuccessAt: Date.UTC(2026, 0, 1) },
      ] as unknown as JobStatus["targets"];
      return [{ jobId: "home", targets }];
    };
    const stop = tellFreshness({ statuses, notifier: test.notifier, clock });
    await clock.advance(120_000);
    freshness = "stale";
    await clock.advance(180_000);
    freshness = "fresh";
    await clock.advance(60_000);
    stop();
    expect(clock.pendingTimers).toBe(0);
    await test.notifier.close(5000);
    expect(told(sink.received)).toEqual(["stale", "recovery"]);
    expect(sink.received[0]?.body).toContain("it last succeeded at 2026-01-01T00:00:00.000Z");
  });

  it("takes another configuration: what waits and is remembered goes on in channels that stay", async () => {
    let works = false;
    const sink = await startHttpSink((_, response) => void response.writeHead(works ? 200 : 503).end());
    const channel: RawChannel = { type: "webhook", url: sink.url, body: bodyTemplate };
    const gone: RawChannel = { ...channel, id: "gone" };
    const test = await setUp([channel, gone]);
    test.end("failed");
    await sink.untilReceived(2);
    works = true;
    test.notifier.reconfigure(
      test.settings([
        { ...channel, url: `${sink.url}/new` },
        { ...channel, id: "added" },
      ]),
    );
    await sink.untilReceived(3);
    test.end("failed");
    test.end("ok");
    await test.notifier.close(5000);
    const newly = sink.received.slice(2);
    expect(newly.filter(({ url }) => url === "/new").map(({ body }) => told([{ body }])[0])).toEqual([
      "failure",
      "recovery",
    ]);
    expect(told(newly.filter(({ url }) => url === "/"))).toEqual(["failure", "recovery"]);
    expect(test.log.messages("error")).toEqual(["channel is gone with what waited"]);
    const kept = parseNotifyState(await readFile(test.file, "utf8"))?.keys() ?? [];
    expect([...kept].toSorted()).toEqual(["added", "webhook"]);
  });

  it("opens what the newest configuration says when others came while a channel was closing", async () => {
    const first = await startHttpSink();
    const newest = await startHttpSink();
    const channel = (url: string): RawChannel => ({ type: "webhook", url, body: bodyTemplate });
    const test = await setUp([channel(first.url)]);
    for (const url of [newest.url, first.url, `${newest.url}/b`, newest.url]) {
      test.notifier.reconfigure(test.settings([channel(url)]));
    }
    test.end("failed");
    await newest.untilReceived(1);
    test.notifier.reconfigure(test.settings([channel(first.url)]));
    test.notifier.reconfigure(test.settings([]));
    await test.notifier.close(5000);
    expect(told(newest.received)).toEqual(["failure"]);
    expect(first.received).toEqual([]);
    expect([...(parseNotifyState(await readFile(test.file, "utf8"))?.keys() ?? [])]).toEqual([]);
  });

  it("forgets what was wrong with jobs that are gone", async () => {
    const sink = await startHttpSink();
    const first = await setUp([{ type: "webhook", url: sink.url, body: bodyTemplate }]);
    first.end("failed");
    await first.notifier.close(5000);
    const second = await setUp([{ type: "webhook", url: sink.url, body: bodyTemplate }], { other: [] }, first.file);
    await second.notifier.close(5000);
    expect(parseNotifyState(await readFile(first.file, "utf8"))?.get("webhook")?.memory).toEqual({});
  });

  it.each([
    ["", false],
    ["[]", false],
    ['{"v": 2, "channels": {}}', false],
    ['{"v": 1, "channels": {"a": {"memory": {}, "queue": {"waiting": [{}], "tries": 0, "dropped": 0}}}}', false],
    ['{"v": 1, "channels": {"a": {"memory": {"x": {}}, "queue": {"waiting": [], "tries": 0, "dropped": 0}}}}', false],
    [
      '{"v": 1, "channels": {"a": {"memory": {"[\\"j\\",\\"\\"]": {"failure": {"since": "x"}}}, "queue": {"waiting": [], "tries": 0, "dropped": 0}}}}',
      false,
    ],
    ['{"v": 1, "channels": {"a": {"memory": {}, "queue": {"waiting": [], "tries": 0, "dropped": 0}}}}', true],
  ])("reads of its file only what it can use: %s", (text, isGood) => {
    expect(parseNotifyState(text) !== undefined).toBe(isGood);
  });

  it("starts without the state of an earlier life where that cannot be read, and says so", async () => {
    const file = join(await makeTempDir(), "notify.json");
    await writeFile(file, "no json");
    const test = await setUp([{ type: "webhook", url: "http://127.0.0.1:1" }], { home: [] }, file);
    await test.notifier.close(0);
    expect(test.log.messages("error")).toEqual([expect.stringContaining("damaged")]);
    expect(await readFile(`${file}.damaged`, "utf8")).toBe("no json");
  });
});
