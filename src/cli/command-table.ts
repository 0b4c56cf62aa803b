import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";

type Load = (context: CommandContext) => Promise<Command>;

/** Every command, in the order in which the help lists them. */
const commands = new Map<string, Load>([
  ["start", async (context) => (await import("./commands/start.ts")).newStartCommand(context)],
  ["status", async (context) => (await import("./commands/status.ts")).newStatusCommand(context)],
  ["run", async (context) => (await import("./commands/run.ts")).newRunCommand(context)],
  ["cancel", async (context) => (await import("./commands/cancel.ts")).newCancelCommand(context)],
  ["pause", async (context) => (await import("./commands/pause.ts")).newPauseCommand(context)],
  ["resume", async (context) => (await import("./commands/pause.ts")).newResumeCommand(context)],
  ["reload", async (context) => (await import("./commands/reload.ts")).newReloadCommand(context)],
  ["logs", async (context) => (await import("./commands/logs.ts")).newLogsCommand(context)],
  ["explain", async (context) => (await import("./commands/explain.ts")).newExplainCommand(context)],
  ["schedule", async (context) => (await import("./commands/schedule.ts")).newScheduleCommand(context)],
  ["history", async (context) => (await import("./commands/history.ts")).newHistoryCommand(context)],
  ["changes", async (context) => (await import("./commands/changes.ts")).newChangesCommand(context)],
  ["check", async (context) => (await import("./commands/check.ts")).newCheckCommand(context)],
  ["locks", async (context) => (await import("./commands/locks.ts")).newLocksCommand(context)],
  ["notify", async (context) => (await import("./commands/notify.ts")).newNotifyCommand(context)],
  ["config", async (context) => (await import("./commands/config.ts")).newConfigCommand(context)],
  ["doctor", async (context) => (await import("./commands/doctor.ts")).newDoctorCommand(context)],
  ["import", async (context) => (await import("./commands/import.ts")).newImportCommand(context)],
  ["completion", async (context) => (await import("./commands/completion.ts")).newCompletionCommand(context)],
  ["authorize", async (context) => (await import("./commands/authorize.ts")).newAuthorizeCommand(context)],
  ["deploy", async (context) => (await import("./commands/deploy.ts")).newDeployCommand(context)],
]);

/** What the shells' completion asks; it walks over all the others. */
const hidden: Load = async (context) => (await import("./commands/completion.ts")).newCompleteCommand(context);

interface Loaded {
  readonly command: Command;
  readonly hidden: boolean;
}

/** The command of that name alone or, where there is none, all of them. */
export async function loadCommands(name: string | undefined, context: CommandContext): Promise<Loaded[]> {
  const load = name === undefined ? undefined : commands.get(name);
  if (load !== undefined) return [{ command: await load(context), hidden: false }];
  const all = await Promise.all([...commands.values()].map((each) => each(context)));
  return [...all.map((command) => ({ command, hidden: false })), { command: await hidden(context), hidden: true }];
}
