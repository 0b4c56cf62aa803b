import type { Clock } from "../base/clock.ts";
import { sortJobs } from "../model/job-order.ts";
import { type CommandContext, sizeOf } from "./command-context.ts";
import type { OpenedInstance } from "./control/open-instance.ts";
import { reachDirector } from "./control/reach-director.ts";
import { offlineReport, offlineStatus, reportOf } from "./control/read-status.ts";
import { openFullScreen } from "./full-screen.ts";
import { formatClock } from "./output.ts";
import { paintFor } from "./paint.ts";
import type { StatusReport } from "./status-report.ts";
import { formatStatus } from "./status-view.ts";

/** How often is looked for a director that is not there. */
const retryMs = 2000;
/** Times are relative, and grow old. */
const redrawMs = 1000;

/** Shows the status until `signal` ends it, with the director or without, and finds it again when it comes back. */
export async function watchStatus(
  instance: OpenedInstance,
  context: CommandContext,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { stdout, env } = context;
  const paint = paintFor(context);
  let report: StatusReport | undefined;
  const draw = () => {
    if (report === undefined) return;
    const now = clock.now();
    const { columns, rows } = sizeOf(stdout, { columns: 80 });
    const format = (shown: StatusReport) => formatStatus(shown, { now, columns, paint }).trimEnd().split("\n");
    const lines = format(report);
    // What there is no room for should be what needs nobody's attention.
    const shown = lines.length < rows - 1 ? lines : format({ ...report, jobs: sortJobs(report.jobs) });
    screen.show([...shown, ""], paint.dim(`${formatClock(now)}  Ctrl-C ends this view`));
  };
  const screen = openFullScreen(stdout, draw);
  const show = (next: StatusReport) => {
    report = next;
    draw();
  };
  let cancelTick = () => {};
  const tick = () => {
    draw();
    cancelTick = clock.setTimer(redrawMs, tick);
  };
  tick();
  try {
    while (!signal.aborted) {
      const reached = await reachDirector(instance, env, { signal });
      if (signal.aborted) break;
      if (reached.kind === "running") {
        show(reportOf(reached.status));
        const asked = await reached.client.followStatus(signal);
        if (asked.kind === "answered") for await (const status of asked.value) show(reportOf(status));
      } else {
        show(offlineReport(reached, instance, await offlineStatus(instance, { env, now: clock.now() })));
      }
      await pause(retryMs, clock, signal);
    }
  } finally {
    cancelTick();
    screen.close();
  }
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = clock.setTimer(ms, () => {
      signal.removeEventListener("abort", end);
      resolve();
    });
    const end = () => {
      cancel();
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
  });
}
