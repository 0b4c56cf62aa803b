import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatTable, printable } from "../output.ts";
import { programVersion } from "../program-version.ts";

interface TestOptions {
  config?: string;
}

/** `rsyncdirector notify`: the channels over which people are told. */
export function newNotifyCommand(context: CommandContext): Command {
  const command = new Command("notify").description("Try the channels over which people are told about jobs.");
  command.addCommand(
    new Command("test")
      .description("Send a test message over one channel, or over all of them, and say what became of it.")
      .argument("[channel]", "id of the channel; all of them unless given")
      .addOption(configOption())
      .action((channel: string | undefined, options: TestOptions) => testChannels(channel, options, context))
      .addHelpText("after", testHelp),
  );
  return command;
}

const testHelp = `
Each message is tried once, with the time limit of its channel. A healthchecks server gets a line for the log of
the check of a job called "test"; no check changes its state. What waits in a running director is not touched.

Examples:
  rsyncdirector notify test -c laptop.yaml
  rsyncdirector notify test phone -c laptop.yaml

Exit status:
  0 all were delivered   1 one was not   78 wrong usage or configuration`;

async function testChannels(wanted: string | undefined, options: TestOptions, context: CommandContext): Promise<void> {
  const [{ loadConfig }, { tryChannels }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../daemon/try-channels.ts"),
  ]);
  const { config } = await loadConfig(configPath(options.config, context.env), { env: context.env });
  const channels = config.notify.filter(({ id }) => wanted === undefined || id === wanted);
  if (channels.length === 0) throw new OperatorError(nothingToTry(wanted, config.notify), { kind: "usage" });
  const { env } = context;
  const tries = await tryChannels(channels, { rsyncId: config.rsyncId, env, version: programVersion() });
  const rows = tries.map(({ id, type, destination, isDelivered, detail }) => [
    ...[id, type, isDelivered ? "delivered" : "FAILED", printable(destination), printable(detail)],
  ]);
  context.stdout.write(formatTable(["CHANNEL", "TYPE", "RESULT", "TO", "DETAIL"], rows));
  if (tries.some(({ isDelivered }) => !isDelivered)) context.finish(exitCodes.failed);
}

function nothingToTry(wanted: string | undefined, channels: readonly { readonly id: string }[]): string {
  if (channels.length === 0) return "the configuration has no channel: add one to notify";
  return `there is no channel ${JSON.stringify(wanted)}: there are ${channels.map(({ id }) => id).join(", ")}`;
}
