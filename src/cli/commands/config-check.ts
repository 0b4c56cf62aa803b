import type { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { FleetMember } from "../../config/fleet.ts";
import type { InspectedConfig } from "../../config/load.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import type { Config } from "../../config/resolved.ts";
import type { CommandContext } from "../command-context.ts";
import { type ConfigFile, findConfigFiles } from "../config-files.ts";
import { configOption, configPath } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatScheduleWarning } from "../schedule-warning.ts";

interface CheckOptions {
  config?: string;
  json?: boolean;
}

export function addConfigCheckCommand(config: Command, context: CommandContext): void {
  config
    .command("check [file...]")
    .description("Check configuration files, alone and against each other, and name every mistake.")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((files: string[], options: CheckOptions) => runConfigCheck({ files, ...options }, context))
    .addHelpText("after", checkHelp);
}

const checkHelp = `
Each mistake is one line: FILE:LINE:COLUMN: KEY: what is wrong. Warnings, also those about times that
may not be what was meant, do not change the exit status.

Several files (or a directory, for its *.yaml and *.yml) are also checked against each other: jobs that wait for
locks of which the other side knows nothing, jobs that may never come to their turn, names that collide, times that
differ. For this it has to know which host a file belongs to. NAME=FILE says so, NAME,OTHERNAME=FILE if the others
call it by several names (NAME:PORT for a port of an address that several hosts share). Without it, a file in
/etc/rsyncdirector belongs to this host, and any other to the host that is called like its rsync_id.

Examples:
  rsyncdirector config check nas.yaml
  rsyncdirector config check /etc/rsyncdirector/*.yaml
  rsyncdirector config check laptop=laptop.yaml backup01,backup01.lan=backup.yaml
  rsyncdirector config check --json fleet/ | jq '.findings[] | select(.kind == "one-sided")'

Exit status:
  0 every file can be used, perhaps with warnings   78 at least one cannot, or they contradict each other`;

/** Something that was found; what the file itself says has no kind of its own. */
interface Finding extends ConfigProblem {
  readonly level: "error" | "warning";
  readonly kind: string;
  readonly remedy?: string;
}

/** Checks every file, then all of them together, and prints what it finds; `now` is the present unless a test says so. */
export async function runConfigCheck(
  options: { files: readonly string[]; config?: string | undefined; json?: boolean | undefined },
  context: CommandContext,
  host: { now?: number } = {},
): Promise<void> {
  const words = options.files.length > 0 ? options.files : [configPath(options.config, context.env)];
  const files = await findConfigFiles(words);
  const [{ checkFleet }, { formatProblem }] = await Promise.all([
    import("../../config/check-fleet.ts"),
    import("../../config/problem.ts"),
  ]);
  const findings: Finding[] = [];
  const members: FleetMember[] = [];
  const say = (finding: Finding) => {
    findings.push(finding);
    if (options.json === true) return;
    const remedy = finding.remedy === undefined ? "" : `  → ${finding.remedy}\n`;
    context.stderr.write(`${finding.level === "warning" ? "warning: " : ""}${formatProblem(finding)}\n${remedy}`);
  };
  for (const file of files) {
    const { findings: own, member } = await checkOne(file, { context, alone: files.length === 1, now: host.now });
    own.forEach(say);
    if (member === undefined) continue;
    members.push(member);
    const belongs = files.length === 1 ? "" : ` (host ${member.hosts[0]})`;
    if (options.json !== true) context.stdout.write(`${file.file}: OK${belongs}\n`);
  }
  checkFleet(members).forEach(say);
  if (options.json === true) context.stdout.write(asJson(files, members, findings));
  if (findings.some(({ level }) => level === "error")) context.finish(exitCodes.usage);
}

interface Checked {
  readonly findings: readonly Finding[];
  /** Undefined: the file cannot be used. */
  readonly member: FleetMember | undefined;
}

async function checkOne(
  { file, hosts }: ConfigFile,
  { context, alone, now }: { context: CommandContext; alone: boolean; now: number | undefined },
): Promise<Checked> {
  const { inspectConfig } = await import("../../config/load.ts");
  try {
    const inspected = await inspectConfig(file, { env: context.env });
    const { config, problems, warnings, find } = inspected;
    const of = (level: Finding["level"]) => (problem: ConfigProblem) => ({ ...problem, level, kind: "file" });
    const odd =
      config === undefined ? [] : await oddThings(config, inspected, { isHere: await isHere(hosts, alone), now });
    const findings: Finding[] = [...warnings.map(of("warning")), ...odd, ...problems.map(of("error"))];
    const names = hosts.length > 0 || config === undefined ? hosts : [config.rsyncId];
    return { findings, member: config && { config, hosts: names, hostIsCertain: hosts.length > 0, find } };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { findings: [{ ...aboutFile("", error.message), level: "error", kind: "file" }], member: undefined };
  }
}

/** Whether what a file says of this host's files can be looked up here. */
async function isHere(hosts: readonly string[], alone: boolean): Promise<boolean> {
  if (hosts.length === 0) return alone;
  const { hostname } = await import("node:os");
  const self = hostname().toLowerCase();
  return hosts.some((name) => name.toLowerCase() === self || name.toLowerCase() === self.split(".")[0]);
}

/** What is no mistake, but probably not what was meant. */
async function oddThings(
  config: Config,
  { find }: InspectedConfig,
  { isHere: here, now }: { isHere: boolean; now: number | undefined },
): Promise<Finding[]> {
  const [{ planSchedules }, { findScheduleWarnings }, { systemClock }, { hostname }, { findMissingFiles }] =
    await Promise.all([
      import("../../trigger/schedule-plan.ts"),
      import("../../trigger/schedule-warnings.ts"),
      import("../../base/clock.ts"),
      import("node:os"),
      import("../../config/check-files.ts"),
    ]);
  const plans = planSchedules(config, { hostname: hostname() });
  const warnings = findScheduleWarnings(config, { plans, now: now ?? systemClock.now() });
  const missing = here ? findMissingFiles(config, find) : [];
  return [
    ...warnings.map((warning) => aboutFile(config.file, formatScheduleWarning(warning))).map(asWarning("schedule")),
    ...missing.map(asWarning("missing-file")),
  ];
}

function asWarning(kind: string): (problem: ConfigProblem) => Finding {
  return (problem) => ({ ...problem, level: "warning", kind });
}

function aboutFile(file: string, message: string): ConfigProblem {
  return { file, line: undefined, column: undefined, path: "", message };
}

function asJson(files: readonly ConfigFile[], members: readonly FleetMember[], findings: readonly Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  const shown = {
    errors: count("error"),
    warnings: count("warning"),
    hosts: members.map(({ config, hosts }) => ({ file: config.file, hosts })),
    files: files.map(({ file }) => file),
    findings: findings.map(({ level, kind, file, line = null, column = null, path, message, remedy = null }) => {
      return { level, kind, file, line, column, key: path, message, remedy };
    }),
  };
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}
