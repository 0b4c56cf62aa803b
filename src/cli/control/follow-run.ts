import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { RunResult } from "../../model/run.ts";
import type { DirectorEvent } from "../../web/director-control.ts";
import type { ControlClient } from "./control-client.ts";

/** How the following of a run ended, which need not be how the run did. */
export type Followed =
  | { readonly kind: "finished"; readonly result: RunResult }
  /** `signal` said so; the run goes on. */
  | { readonly kind: "stopped" }
  /** The director went away, or does not answer any more. */
  | { readonly kind: "lost"; readonly detail: string };

/**
 * Emits what a director does in a run as if it happened here, until the run has ended. When the connection breaks and
 * the director is still there, `onGap` is told: what it wrote meanwhile is not shown, how it ends is.
 */
export async function followRun(
  client: ControlClient,
  runId: string,
  options: { events: Emitter<DirectorEvents>; signal: AbortSignal; onGap: () => void },
): Promise<Followed> {
  const { events, signal, onGap } = options;
  let isFirst = true;
  for (;;) {
    const asked = await client.followRun(runId, signal);
    if (asked.kind !== "answered") {
      if (signal.aborted) return { kind: "stopped" };
      return { kind: "lost", detail: asked.kind === "refused" ? asked.message : "it cannot be reached any more" };
    }
    for await (const event of asked.value) {
      // What comes after a gap begins with what was shown already.
      if (isFirst) emit(events, event);
      if (event.name === "run:finished" && event.payload.runId === runId) {
        return { kind: "finished", result: event.payload };
      }
    }
    if (signal.aborted) return { kind: "stopped" };
    if (isFirst) onGap();
    isFirst = false;
    if ((await client.status()).kind !== "answered") return { kind: "lost", detail: "it has gone, or does not answer" };
  }
}

export function emit(events: Emitter<DirectorEvents>, { name, payload }: DirectorEvent): void {
  // Name and payload belong together, which the compiler does not see across the union.
  events.emit(name, payload as never);
}
