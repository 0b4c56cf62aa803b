import { Emitter } from "../base/emitter.ts";
import { OperatorError } from "../base/errors.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { OpenRun } from "../model/status.ts";
import type { CommandContext } from "./command-context.ts";
import { followRun } from "./control/follow-run.ts";
import { nameInstance } from "./control/name-instance.ts";
import { answerOf, describeUnreached, type Instance, reachDirector, type Reached } from "./control/reach-director.ts";
import { exitCodeOfOutcome, exitCodes } from "./exit-codes.ts";
import { formatJson, printable } from "./output.ts";
import { formatRunSummary, showRun } from "./run-view.ts";
import { abortOnSignals } from "./stop-signals.ts";

export interface HandOver {
  readonly config: string | undefined;
  /** Empty: every enabled job. */
  readonly jobs: readonly string[];
  readonly detach: boolean;
  readonly view: "lines" | "json";
}

type Running = Extract<Reached, { kind: "running" }>;

/**
 * Lets a running director do a run, follows it, and sets the exit status as if it had been done here. False: there is
 * no director to do it, and nothing was done.
 */
export async function handOver(request: HandOver, context: CommandContext): Promise<boolean> {
  const instance = await nameInstance(request.config, context);
  const reached = await reachDirector(instance, context.env);
  if (reached.kind !== "running") {
    if (request.detach || reached.kind === "unknown") throw new OperatorError(describeUnreached(reached, instance));
    return false;
  }
  const asked = await reached.client.run(request.jobs);
  // It stopped between the two questions and took nothing on.
  if (asked.kind === "gone" && !request.detach) return false;
  if (asked.kind === "refused") throw refusalOf(asked.message, request, reached);
  const { runId } = answerOf(asked, instance);
  if (request.detach) {
    context.stdout.write(request.view === "json" ? formatJson({ runId }) : `${runId}\n`);
    return true;
  }
  await follow(runId, { request, reached, instance, context });
  return true;
}

/** A job that only the file knows, because nobody has told the director of it yet. */
function refusalOf(message: string, { jobs }: HandOver, { status }: Running): OperatorError {
  const unknown = jobs.some((id) => !status.jobs.some(({ jobId }) => jobId === id));
  const known = status.jobs.map(({ jobId }) => jobId).join(", ");
  return unknown
    ? new OperatorError(
        `${message}: the running director has ${known}; after a change of its configuration: rsyncdirector reload`,
        { kind: "usage" },
      )
    : new OperatorError(message);
}

async function follow(
  runId: string,
  of: { request: HandOver; reached: Running; instance: Instance; context: CommandContext },
): Promise<void> {
  const { request, reached, instance, context } = of;
  const { client, status } = reached;
  const say = (text: string) => context.stderr.write(`${printable(text)}\n`);
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  let locksLeft = 0;
  events.on("lock:stuck", () => (locksLeft += 1));
  const { stdout: output, env } = context;
  const endView = request.view === "lines" ? showRun(events, { output, env, dryRun: false, now: Date.now }) : () => {};
  const stop = abortOnSignals();
  if (request.view === "lines") {
    say(`run ${runId} of the director of ${instance.rsyncId} (process ${status.pid}); Ctrl-C stops following it`);
    for (const ahead of status.runs) say(describeAhead(ahead));
  }
  try {
    const onGap = () => say("the connection broke: some of what the run writes is not shown here");
    const followed = await followRun(client, runId, { events, signal: stop.signal, onGap });
    endView();
    switch (followed.kind) {
      case "finished":
        if (request.view === "json") context.stdout.write(formatJson(followed.result));
        else context.stdout.write(printable(formatRunSummary(followed.result)));
        return context.finish(locksLeft > 0 ? exitCodes.failed : exitCodeOfOutcome(followed.result.outcome));
      case "stopped":
        say(`the run goes on; to cancel it: rsyncdirector cancel ${runId}`);
        return context.finish(exitCodes.temporary);
      case "lost":
        throw new OperatorError(
          `the director of ${instance.rsyncId} was lost during run ${runId}: ${followed.detail}; UNKNOWN how it ended: rsyncdirector history ${runId}`,
        );
    }
  } finally {
    endView();
    stop.close();
  }
}

function describeAhead({ runId, state, jobs }: OpenRun): string {
  return `before it: run ${runId} ${state === "running" ? "works on" : "waits with"} ${jobs.join(", ")}`;
}
