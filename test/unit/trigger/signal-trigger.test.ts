import { expect, test } from "vitest";
import type { RunRequest } from "../../../src/model/run.ts";
import { createSignalTrigger } from "../../../src/trigger/signal-trigger.ts";
import { recordingLogger } from "./schedule-fixture.ts";
import type { LogLine } from "./schedule-fixture.ts";

function setUp(jobs: readonly string[]) {
  const listeners = new Set<() => void>();
  const requests: RunRequest[] = [];
  const lines: LogLine[] = [];
  const trigger = createSignalTrigger({
    subscribe: (onSignal) => {
      listeners.add(onSignal);
      return () => listeners.delete(onSignal);
    },
    jobs: () => jobs,
    submit: (request) => void requests.push(request),
    log: recordingLogger(lines),
  });
  const signal = () => listeners.forEach((listener) => listener());
  return { trigger, requests, lines, signal, listeners };
}

test("each signal asks for one run of all the jobs", () => {
  const { trigger, requests, signal } = setUp(["home", "mail"]);
  trigger.start();
  trigger.start();
  signal();
  signal();
  const request = { jobs: ["home", "mail"], cause: { kind: "signal" } };
  expect(requests).toEqual([request, request]);
});

test("nothing is asked for before the start and after the stop", () => {
  const { trigger, requests, signal, listeners } = setUp(["home"]);
  signal();
  trigger.start();
  trigger.stop();
  trigger.stop();
  signal();
  expect(requests).toEqual([]);
  expect(listeners.size).toBe(0);
});

test("a signal without an enabled job is answered in the log", () => {
  const { trigger, requests, lines, signal } = setUp([]);
  trigger.start();
  signal();
  expect(requests).toEqual([]);
  expect(lines).toEqual([{ level: "warn", message: "asked to run by a signal, but no job is enabled" }]);
});
