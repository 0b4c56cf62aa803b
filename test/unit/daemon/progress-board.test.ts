import { expect, it } from "vitest";
import { keepProgress } from "../../../src/daemon/progress-board.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { newEvents, report } from "../../support/history-samples.ts";

const of = { runId: "r", jobId: "home" };
const rsync = { filesTransferred: null, filesToCheck: null, filesTotal: null };

it("tells the action of a job, how far it is, and when it will end at that rate", () => {
  const [events, clock] = [newEvents(), new FakeClock()];
  const board = keepProgress({ events, clock });
  const start = clock.now();
  const at = (ms: number) => new Date(start + ms).toISOString();
  expect(board.progressOf(of)).toBeUndefined();
  events.emit("action:started", { ...of, actionId: "copy", targetId: "", attempt: 1, argv: [], at: start });
  const none = { percent: null, bytes: null, rate: null, eta: null };
  expect(board.progressOf(of)).toEqual({ job: "home", action: "copy", started: at(0), at: at(0), ...none });
  const progress = { bytes: 250, percent: 25, bytesPerSecond: 10, ...rsync };
  events.emit("action:progress", { ...of, actionId: "copy", targetId: "", attempt: 1, progress });
  expect(board.progressOf(of)).toMatchObject({ percent: 25, bytes: 250, rate: 10, eta: at(75_000) });
  events.emit("action:progress", {
    ...of,
    actionId: "copy",
    targetId: "",
    attempt: 1,
    progress: { ...progress, bytesPerSecond: 0 },
  });
  expect(board.progressOf(of)).toMatchObject({ rate: 0, eta: null });
  events.emit("action:started", { ...of, actionId: "next", targetId: "", attempt: 1, argv: [], at: start });
  expect(board.progressOf(of)).toMatchObject({ action: "next", ...none });
  expect(board.progressOf({ ...of, jobId: "mail" })).toBeUndefined();
  events.emit("job:finished", { ...of, outcome: { kind: "ok" }, startedAt: start, at: start });
  expect(board.progressOf(of)).toBeUndefined();
  board.stop();
});

it("tells of several targets the one that is least far, and of none that has ended", () => {
  const [events, clock] = [newEvents(), new FakeClock()];
  const board = keepProgress({ events, clock });
  const at = clock.now();
  const lane = (targetId: string) => ({ ...of, actionId: "copy", targetId, attempt: 1 });
  const far = (percent: number) => ({ bytes: percent, percent, bytesPerSecond: 1, ...rsync });
  for (const id of ["near", "far"]) events.emit("action:started", { ...lane(id), argv: [], at });
  events.emit("action:progress", { ...lane("near"), progress: far(80) });
  events.emit("action:progress", { ...lane("far"), progress: far(10) });
  expect(board.progressOf(of)).toMatchObject({ action: "copy to far", percent: 10 });
  events.emit("action:finished", { ...lane("far"), outcome: { kind: "ok", report: report() }, startedAt: at, at });
  expect(board.progressOf(of)).toMatchObject({ action: "copy to near", percent: 80 });
  board.stop();
});
