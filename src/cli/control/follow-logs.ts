import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { DirectorEvent } from "../../web/director-control.ts";
import type { ControlClient } from "./control-client.ts";
import type { Asked } from "./control-request.ts";
import { emit } from "./follow-run.ts";

/**
 * Emits what the director does, of one job or of all, until `signal` ends it (`answered`) or the director goes. What
 * runs already is told from its beginning, as far as the director remembers it.
 */
export async function followLogs(
  client: ControlClient,
  options: { jobId: string | undefined; events: Emitter<DirectorEvents>; signal: AbortSignal },
): Promise<Asked<"stopped">> {
  const { jobId, events, signal } = options;
  // First the ear, then the look: what begins in between is heard, and is in nobody's past.
  const heard = await client.followEvents(jobId, signal);
  if (heard.kind !== "answered") return signal.aborted ? { kind: "answered", value: "stopped" } : heard;
  const asked = await client.status();
  if (asked.kind !== "answered") return asked;
  const open = asked.value.runs.filter(({ jobs }) => jobId === undefined || jobs.includes(jobId));
  const told = new Set(open.map(({ runId }) => runId));
  const pasts = open.map(async ({ runId }) => {
    const past = await client.followRun(runId, signal);
    if (past.kind !== "answered") return;
    for await (const event of past.value) if (isAbout(event, jobId)) emit(events, event);
  });
  for await (const event of heard.value) {
    const { payload } = event;
    if (!("runId" in payload) || !told.has(payload.runId)) emit(events, event);
  }
  await Promise.all(pasts);
  return signal.aborted ? { kind: "answered", value: "stopped" } : { kind: "gone" };
}

function isAbout({ payload }: DirectorEvent, jobId: string | undefined): boolean {
  return jobId === undefined || !("jobId" in payload) || payload.jobId === jobId;
}
