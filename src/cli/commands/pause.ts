import { Command } from "commander";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { OperatorError } from "../../base/errors.ts";
import type { Pause } from "../../model/status.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { formatJson, formatTime } from "../output.ts";

interface PauseOptions {
  config?: string;
  for?: string;
  reason?: string;
  json?: boolean;
}

interface ResumeOptions {
  config?: string;
  json?: boolean;
}

/** `rsyncdirector pause`: let nothing run a job for a time. */
export function newPauseCommand(context: CommandContext): Command {
  return new Command("pause")
    .description("Let nothing run a job for a time, or until `resume`; a run in progress goes on.")
    .argument("<job>", "id of a job")
    .addOption(configOption())
    .option("--for <time>", "how long: 90m, 2h, 3d (without it: until `rsyncdirector resume`)")
    .option("--reason <text>", "why, for those who wonder")
    .option("--json", "print JSON")
    .action((job: string, options: PauseOptions) => runPause(job, options, context))
    .addHelpText("after", pauseHelp);
}

const pauseHelp = `
Schedules, changes and requests that come meanwhile are recorded as skipped; the copies grow stale, and the
status says so. A pause outlives restarts of the director. To pause again replaces the pause.

Examples:
  rsyncdirector pause home -c laptop.yaml --for 2h --reason "the disk is being replaced"
  rsyncdirector resume home -c laptop.yaml

Exit status:
  0 it is paused   1 no such job, or no director   78 wrong usage`;

/** `rsyncdirector resume`: end the pause of a job. */
export function newResumeCommand(context: CommandContext): Command {
  return new Command("resume")
    .description("End the pause of a job. What came meanwhile is not made up for: run it, or wait for its schedule.")
    .argument("<job>", "id of a job")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((job: string, options: ResumeOptions) => runResume(job, options, context))
    .addHelpText("after", resumeHelp);
}

const resumeHelp = `
Where no director runs, the pause is taken out of the file that it would read.

Examples:
  rsyncdirector resume home -c laptop.yaml

Exit status:
  0 it is not paused (any more)   1 no such job, or it cannot be ended   78 wrong usage or configuration`;

async function runPause(job: string, options: PauseOptions, context: CommandContext): Promise<void> {
  const milliseconds = options.for === undefined ? null : parseDuration(options.for);
  if (milliseconds === undefined || (milliseconds !== null && milliseconds < 1000)) {
    throw new OperatorError(`--for: "${options.for}" is no duration of a second or more, such as 90m, 2h or 3d`, {
      kind: "usage",
    });
  }
  const { openControl } = await import("../control/open-control.ts");
  const { client, answer } = await openControl(options.config, context);
  const seconds = milliseconds === null ? null : milliseconds / 1000;
  const pause = answer(await client.pause(job, { seconds, reason: options.reason ?? null }));
  context.stdout.write(options.json === true ? formatJson({ job, ...pause }) : `${describePause(job, pause)}\n`);
}

async function runResume(job: string, options: ResumeOptions, context: CommandContext): Promise<void> {
  const wasPaused = await resume(job, options.config, context);
  if (options.json === true) context.stdout.write(formatJson({ job, wasPaused }));
  else context.stdout.write(wasPaused ? `${job} is not paused any more\n` : `${job} was not paused\n`);
}

/** Who runs a job by hand or from cron heeds a pause, too, and may have no director at all. */
async function resume(job: string, file: string | undefined, context: CommandContext): Promise<boolean> {
  const { nameInstance } = await import("../control/name-instance.ts");
  const { answerOf, describeUnreached, reachDirector } = await import("../control/reach-director.ts");
  const instance = await nameInstance(file, context);
  const reached = await reachDirector(instance, context.env);
  if (reached.kind === "running") return answerOf(await reached.client.resume(job), instance).wasPaused;
  if (reached.kind !== "stopped") throw new OperatorError(describeUnreached(reached, instance));
  const { loadConfig } = await import("../../config/load.ts");
  const { resumeStopped } = await import("../../daemon/control/resume-stopped.ts");
  const { config } = await loadConfig(instance.file, { env: context.env });
  return resumeStopped(config, job, context.env);
}

function describePause(job: string, { since, until }: Pause): string {
  if (until === null) return `${job} is paused until: rsyncdirector resume ${job}`;
  return `${job} is paused until ${formatTime(until)} (${formatDuration(until - since)}), or until: rsyncdirector resume ${job}`;
}
