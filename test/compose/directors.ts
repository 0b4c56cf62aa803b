import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { RunRecord } from "../../src/store/run-history.ts";

export interface StartedRun {
  readonly director: string;
  readonly runId: string;
}

export type EndedRun = RunRecord & StartedRun;

const limitMs = 300_000;

/** Resolves when the director is ready. */
export async function untilItAnswers(director: string): Promise<void> {
  await until(`${director} answers`, () => ask(director, "GET", "/api/v1/status").catch(() => undefined));
}

/** Has all jobs of the director run. */
export async function runNow(director: string): Promise<StartedRun> {
  const { runId } = (await ask(director, "POST", "/api/v1/runs", { jobs: [] })) as StartedRun;
  return { director, runId };
}

/** The record of the run, once it has ended. */
export async function untilRunEnds({ director, runId }: StartedRun): Promise<EndedRun> {
  const record = await until(`run ${runId} of ${director} ends`, async () => {
    const found = (await ask(director, "GET", `/api/v1/runs/${runId}`).catch(() => undefined)) as RunRecord | undefined;
    return found?.outcome === "running" ? undefined : found;
  });
  return { ...record, director };
}

/** Looks ten times a second until there is something. */
export async function until<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  for (const end = performance.now() + limitMs; performance.now() < end;) {
    const found = await look();
    if (found !== undefined) return found;
    await wait(100);
  }
  throw new Error(`not after ${limitMs / 1000} s: ${what}`);
}

/** One request on the control socket, which docs/api.md describes. */
function ask(director: string, method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socketPath = `/run/rsyncdirector/rsyncdirector-${director}.sock`;
    const headers = { Host: "localhost", ...(body !== undefined && { "Content-Type": "application/json" }) };
    const asked = request({ socketPath, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        if (response.statusCode === 200 || response.statusCode === 202) resolve(JSON.parse(text));
        else reject(new Error(`${director} answers ${path} with ${response.statusCode}: ${text}`));
      });
    });
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
