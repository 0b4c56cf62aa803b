import { describe, expect, it } from "vitest";
import { showRun } from "../../../src/cli/run-view.ts";
import type { TransferProgress } from "../../../src/model/transfer.ts";
import { EventLog } from "../../support/event-log.ts";
import { TextSink } from "../../support/text-sink.ts";

const of = { runId: "run", jobId: "home", actionId: "sync", targetId: "", attempt: 1 };
const progress: TransferProgress = {
  bytes: 1_500_000,
  percent: 50,
  bytesPerSecond: 300_000,
  filesTransferred: 3,
  filesToCheck: 4,
  filesTotal: 10,
};

function setUp(options: { isTTY: boolean; dryRun?: boolean; env?: Record<string, string> }) {
  const events = new EventLog();
  const output = new TextSink(options);
  const now = () => Date.UTC(2026, 0, 1, 12, 0, 0);
  const env = { NO_COLOR: "1", ...options.env };
  const end = showRun(events, { output, env, dryRun: options.dryRun ?? false, now });
  const said = () => output.text.replaceAll(/^(\S+ )?\d\d:00:00 /gm, "");
  return { events, output, end, said };
}

describe("view of a run", () => {
  it("writes whole lines and no progress into a pipe", () => {
    const { events, end, said } = setUp({ isTTY: false });
    events.emit("job:started", { ...of, at: 0 });
    const place = { host: "backup01", path: "/run/x" };
    events.emit("job:blocked", { ...of, place, state: "held", owner: "4242", detail: "", at: 0 });
    events.emit("job:unblocked", { ...of, waitedMs: 90_000, outcome: "free", at: 0 });
    events.emit("action:started", { ...of, argv: ["rsync", "-a", "--", "/a b/", "/c"], at: 0 });
    events.emit("action:progress", { ...of, progress });
    events.emit("job:finished", {
      ...of,
      outcome: { kind: "failed", message: "no", actionId: null },
      startedAt: 0,
      at: 0,
    });
    end();
    expect(said()).toBe(
      [
        "home  started",
        "home  waits for backup01:/run/x: held by process 4242",
        "home  free after 1m 30s",
        "home  sync: runs rsync -a -- '/a b/' /c",
        "home  FAILED: no",
        "",
      ].join("\n"),
    );
  });

  it("says that it cannot tell, and why, when a lock host does not answer", () => {
    const { events, said } = setUp({ isTTY: false });
    const place = { host: "backup01", path: "/run/x" };
    events.emit("job:blocked", {
      ...of,
      place,
      state: "unknown",
      owner: null,
      detail: "cannot be told: no route to host",
      at: 0,
    });
    expect(said()).toContain("waits: backup01:/run/x cannot be told: no route to host");
  });

  it("keeps one moving line at the bottom of a terminal and clears it at the end", () => {
    const { events, output, end } = setUp({ isTTY: true });
    events.emit("action:progress", { ...of, progress });
    expect(output.text).toBe("\r\u001b[Khome sync [############............]  50% 1.50 MB 300 kB/s 5s left");
    events.emit("action:output", { ...of, stream: "stdout", line: "a file" });
    expect(output.text).toContain("home  | a file\nhome sync [####");
    end();
    expect(output.text.endsWith("\r\u001b[K")).toBe(true);
  });

  it("has one moving line for each transfer under way", () => {
    const { events, output } = setUp({ isTTY: true });
    const to = (targetId: string) => ({ ...of, targetId });
    events.emit("action:progress", { ...to("nas"), progress });
    events.emit("action:progress", { ...to("vault"), progress: { ...progress, percent: 25 } });
    const two = output.text.split("\r\u001b[K").at(-1)?.split("\n") ?? [];
    expect(two.map((line) => line.slice(0, 22))).toEqual(["home sync to nas [####", "home sync to vault [##"]);
    output.text = "";
    const done = { kind: "failed", cause: "exit", message: "no", retryable: false, report: null } as const;
    events.emit("action:finished", { ...to("nas"), outcome: done, startedAt: 0, at: 1000 });
    expect(output.text.startsWith("\r\u001b[K\u001b[1A\u001b[Khome sync to vault [")).toBe(true);
    expect(output.text).toMatch(/\n?.*sync to nas: FAILED: no in 1s\nhome sync to vault \[##.*$/);
  });

  it("moves nothing on a terminal that can only print", () => {
    const { events, output, end } = setUp({ isTTY: true, env: { TERM: "dumb" } });
    events.emit("action:progress", { ...of, progress });
    end();
    expect(output.text).toBe("");
  });

  it("colours on a terminal, and says the same without colours", () => {
    const say = (env: Record<string, string>) => {
      const { events, output } = setUp({ isTTY: true, env });
      events.emit("job:finished", {
        ...of,
        outcome: { kind: "failed", message: "no", actionId: null },
        startedAt: 0,
        at: 0,
      });
      return output.text;
    };
    const coloured = say({ NO_COLOR: "" });
    expect(coloured).toContain("\u001b[31mFAILED: no\u001b[0m");
    expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(say({ NO_COLOR: "1" }));
  });

  it("leaves the statistics block to those who asked for it", () => {
    const block = ["a file", "", "Number of files: 2 (reg: 1, dir: 1)", "Total file size: 6 bytes"];
    const show = (argv: string[]) => {
      const { events, said } = setUp({ isTTY: false });
      events.emit("action:started", { ...of, argv, at: 0 });
      for (const line of block) events.emit("action:output", { ...of, stream: "stdout", line });
      return said().split("\n").slice(1, -1);
    };
    expect(show(["rsync", "-a", "--stats"])).toEqual(["home  | a file"]);
    expect(show(["rsync", "-a", "--stats", "--stats"])).toHaveLength(4);
    expect(show(["cat", "notes"])).toHaveLength(4);
  });

  it("does not pass control characters of other programs on to the terminal", () => {
    const { events, output } = setUp({ isTTY: true });
    events.emit("action:output", { ...of, stream: "stderr", line: "x\u001b]0;owned\u0007y" });
    const message = "refused (\u001b[2J)";
    events.emit("job:finished", { ...of, outcome: { kind: "failed", message, actionId: null }, startedAt: 0, at: 0 });
    expect(output.text).toContain("FAILED: refused (\ufffd[2J)");
    expect(output.text).toContain("! x\ufffd]0;owned\ufffdy");
  });

  it("prints what would run in a dry run", () => {
    const { events, said } = setUp({ isTTY: false, dryRun: true });
    events.emit("action:started", { ...of, argv: ["rsync", "-n"], at: 0 });
    expect(said()).toBe("home  sync: would run rsync -n\n");
  });

  it("says of each lock what becomes of it", () => {
    const { events, said } = setUp({ isTTY: false });
    const lock = { ...of, place: { host: "backup01", path: "/run/x" }, token: "t", at: 0 };
    events.emit("job:fencing", { ...of, fencing: "unfenced", reason: "an rsync daemon", at: 0 });
    events.emit("lock:foreign", { ...lock, owner: "4242", ageSeconds: 5 });
    const owner = "held by job a of b on c";
    events.emit("lock:broken", { ...lock, owner, ageSeconds: 700, observedMs: 660_000, because: "it was silent" });
    events.emit("lock:suspect", { ...lock, ageMs: 31_000, detail: "no route to host" });
    events.emit("lock:confirmed", { ...lock, ageMs: 61_000 });
    events.emit("lock:lost", { ...lock, ageMs: 30_000, cause: "taken", detail: "the file is gone" });
    expect(said().split("\n")).toEqual([
      "home  unfenced: only its lock files keep other writers away (an rsync daemon)",
      "home  backup01:/run/x is the lock of another program: 4242",
      "home  broke the stale lock backup01:/run/x, held by job a of b on c: it was silent",
      "home  cannot confirm backup01:/run/x: no route to host",
      "home  confirmed backup01:/run/x again after 1m 1s",
      "home  LOST backup01:/run/x: the file is gone",
      "",
    ]);
  });
});
