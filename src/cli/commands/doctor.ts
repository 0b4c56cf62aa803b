import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";

interface DoctorOptions {
  config?: string;
  json?: boolean;
}

/** `rsyncdirector doctor`: what is wrong with the hosts of a configuration. */
export function newDoctorCommand(context: CommandContext): Command {
  return new Command("doctor")
    .description("Examine every host of a configuration: login, locks, clock, rsync, space; and say what to do.")
    .argument("[host]", "only this one, as the configuration calls it; localhost is this host")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((host: string | undefined, options: DoctorOptions) => runDoctor(host, options, context))
    .addHelpText("after", doctorHelp);
}

const doctorHelp = `
It logs in as the jobs do, and for a moment creates files in the directories of their lock files. Nothing
else is changed. A host that does not answer costs a minute at most, and keeps no other waiting.

Examples:
  rsyncdirector doctor -c laptop.yaml             every host, this one included
  rsyncdirector doctor backup01 -c laptop.yaml    one of them
  rsyncdirector doctor -c laptop.yaml --json | jq '.hosts[].findings[] | select(.state == "problem")'

Exit status:
  0 no problems, perhaps warnings   1 problems   78 wrong configuration or unknown host`;

/** Examines, prints, and finishes with 1 when there is a problem. */
export async function runDoctor(
  host: string | undefined,
  options: DoctorOptions,
  context: CommandContext,
): Promise<void> {
  const path = configPath(options.config, context.env);
  const [{ loadConfig }, { examineHosts }, { runTool }, { startChild }, { systemClock }, view] = await Promise.all([
    import("../../config/load.ts"),
    import("../../daemon/doctor/doctor.ts"),
    import("../../process/run-tool.ts"),
    import("../../process/start-child.ts"),
    import("../../base/clock.ts"),
    import("../doctor-view.ts"),
  ]);
  const { config } = await loadConfig(path, { env: context.env });
  const reports = await examineHosts(config, host, { runTool, startChild, clock: systemClock });
  const counts = view.countFindings(reports);
  const { problems, warnings } = counts;
  const json = () => `${JSON.stringify({ problems, warnings, hosts: reports }, undefined, 2)}\n`;
  context.stdout.write(
    options.json === true
      ? json()
      : view.formatReports(reports, context.stdout.isTTY === true ? context.stdout.columns : undefined),
  );
  if (problems > 0) context.finish(exitCodes.failed);
}
