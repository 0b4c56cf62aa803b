import type { InstanceStatus, Pause } from "../../model/status.ts";
import type { DirectorEvent, ReloadAnswer } from "../../web/director-control.ts";
import { type Asked, askControl, followControl } from "./control-request.ts";
import { readEventStream } from "./event-stream.ts";

/** A running director, as the command line sees it. Every call says what became of it and throws for no outside reason. */
export interface ControlClient {
  readonly socketPath: string;
  status(signal?: AbortSignal): Promise<Asked<InstanceStatus>>;
  /** No jobs: every enabled one. */
  run(jobs: readonly string[]): Promise<Asked<{ readonly runId: string }>>;
  /** Takes as long as the run takes to end and to free its locks; `signal` stops waiting, not the cancelling. */
  cancel(runId: string, signal?: AbortSignal): Promise<Asked<{ readonly runId: string }>>;
  /** `seconds` null: until somebody resumes it. */
  pause(jobId: string, pause: { seconds: number | null; reason: string | null }): Promise<Asked<Pause>>;
  resume(jobId: string): Promise<Asked<{ readonly wasPaused: boolean }>>;
  reload(): Promise<Asked<ReloadAnswer>>;
  /** What the run has done, then what it does, until it has ended or the director has gone. */
  followRun(runId: string, signal: AbortSignal): Promise<Asked<AsyncIterable<DirectorEvent>>>;
  /** Everything from now on, or what is about one job. */
  followEvents(jobId: string | undefined, signal: AbortSignal): Promise<Asked<AsyncIterable<DirectorEvent>>>;
  /** The status at once, and again whenever it has changed. */
  followStatus(signal: AbortSignal): Promise<Asked<AsyncIterable<InstanceStatus>>>;
}

/** A director that works answers within milliseconds; one whose host is busy, within seconds. */
const withinMs = 10_000;
/** A reload reads files and looks names up. */
const reloadWithinMs = 60_000;
/** Several of the heartbeats that a director sends into a stream. */
const quietMs = 60_000;

export function createControlClient(socketPath: string, limits: { withinMs?: number } = {}): ControlClient {
  const base = "/api/v1";
  const limit = limits.withinMs ?? withinMs;
  // The shapes are those of docs/api.md: program and director are of one package.
  const get = <T>(path: string, signal?: AbortSignal) =>
    askControl(socketPath, { method: "GET", path: base + path, withinMs: limit, signal }) as Promise<Asked<T>>;
  const post = <T>(path: string, body: unknown, options: Partial<Parameters<typeof askControl>[1]> = {}) =>
    askControl(socketPath, { method: "POST", path: base + path, body, withinMs: limit, ...options }) as Promise<
      Asked<T>
    >;
  async function follow<T>(path: string, signal: AbortSignal, read: (text: AsyncIterable<string>) => AsyncIterable<T>) {
    const asked = await followControl(socketPath, {
      ...{ method: "GET", path: base + path, withinMs: limit, quietMs, signal },
    });
    return asked.kind === "answered" ? { kind: "answered" as const, value: read(asked.value) } : asked;
  }
  return {
    socketPath,
    status: (signal) => get("/status", signal),
    run: (jobs) => post("/runs", { jobs }),
    cancel: (runId, signal) => post(`/runs/${encodeURIComponent(runId)}/cancel`, {}, { withinMs: null, signal }),
    pause: (jobId, pause) => post(`/jobs/${encodeURIComponent(jobId)}/pause`, pause),
    resume: (jobId) => post(`/jobs/${encodeURIComponent(jobId)}/resume`, {}),
    // 422: the new configuration is bad, which is an answer.
    reload: () => post("/reload", {}, { withinMs: reloadWithinMs, answers: [422] }),
    followRun: (runId, signal) => follow(`/runs/${encodeURIComponent(runId)}/events`, signal, readEvents),
    followEvents: (jobId, signal) =>
      follow(jobId === undefined ? "/events" : `/events?job=${encodeURIComponent(jobId)}`, signal, readEvents),
    followStatus: (signal) => follow("/status/stream", signal, readStatuses),
  };
}

async function* readEvents(text: AsyncIterable<string>): AsyncGenerator<DirectorEvent, undefined> {
  for await (const { name, data } of readEventStream(text)) {
    yield { name, payload: JSON.parse(data) as unknown } as DirectorEvent;
  }
}

async function* readStatuses(text: AsyncIterable<string>): AsyncGenerator<InstanceStatus, undefined> {
  for await (const { name, data } of readEventStream(text)) {
    if (name === "status") yield JSON.parse(data) as InstanceStatus;
  }
}
