import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { DeployHost, KnownKeys } from "../../deploy/apply.ts";
import type { PlanContext } from "../../deploy/plan-step.ts";
import { askOnTerminal } from "../ask.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";

interface DeployOptions {
  readonly inventory: string;
  readonly limit?: readonly string[];
  readonly acceptFingerprint: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `rsyncdirector deploy`: installs instances on other hosts over SSH. */
export function newDeployCommand(context: CommandContext): Command {
  const deploy = new Command("deploy").description("Install instances on other hosts over SSH, as an inventory says.");
  const common = (command: Command) =>
    command
      .requiredOption("-i, --inventory <file>", "YAML: which hosts, which instances")
      .option("--limit <host...>", "only these hosts")
      .option(
        "--accept-fingerprint <sha256>",
        "a host key that may be filed (repeatable)",
        (value: string, before: readonly string[]) => [...before, value],
        [],
      );
  common(deploy.command("plan").description("Look at the hosts, and show what apply would do."))
    .action((options: DeployOptions) => runPlan(options, context))
    .addHelpText("after", planHelp);
  common(deploy.command("apply").description("Bring the hosts to what the inventory says. Changes nothing twice."))
    .option("--dry-run", "the same as plan")
    .option("--yes", "do not ask before changing anything; host keys have to be confirmed all the same")
    .action((options: DeployOptions) =>
      options.dryRun === true ? runPlan(options, context) : runApply(options, context),
    )
    .addHelpText("after", applyHelp);
  return deploy;
}

const planHelp = `
  + is new, ~ becomes different, ! stands in the way. Contents of files are never shown.

Example:
  rsyncdirector deploy plan --inventory hosts.yaml --limit laptop01

Exit status:
  0 looked at every host   1 one could not be looked at, or something stands in the way   78 wrong usage or inventory`;

const applyHelp = `
Each step is looked at again after it was done. A host that fails is left as it is then, and the others go on; apply may
be repeated at any time.

Example:
  rsyncdirector deploy apply --inventory hosts.yaml --yes --accept-fingerprint SHA256:n3Wq0VfY0h7s2pVq0zjv8m2e8yJdO2o3a1v1wq2r4tA

Exit status:
  0 every host is as it should be   1 one is not   78 wrong usage or inventory`;

async function prepare(options: DeployOptions): Promise<{
  hosts: readonly DeployHost[];
  context: Omit<PlanContext, "publicKey"> & { accepted: Set<string> };
  keys: KnownKeys;
}> {
  const [{ readInventory }, { deriveDesired }, { openRemoteHost }, { runTool }, { lookAtHost }, { readFileSync }] =
    await Promise.all([
      import("../../deploy/inventory.ts"),
      import("../../deploy/derive-desired.ts"),
      import("../../deploy/remote-host.ts"),
      import("../../process/run-tool.ts"),
      import("../../deploy/apply.ts"),
      import("node:fs"),
    ]);
  const inventory = await readInventory(options.inventory);
  const stranger = options.limit?.find((name) => inventory.hosts.every((host) => host.name !== name));
  if (stranger !== undefined)
    throw new OperatorError(`${options.inventory}: there is no host ${stranger}`, { kind: "usage" });
  const desired = await deriveDesired(inventory);
  const all = inventory.hosts.flatMap((host, index): DeployHost[] => {
    const wanted = desired[index];
    return wanted === undefined ? [] : [{ desired: wanted, remote: openRemoteHost(host, { runTool }) }];
  });
  const hosts = all.filter(({ desired: { name } }) => options.limit?.includes(name) !== false);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const accepted = new Set(options.acceptFingerprint);
  const context = { stamp, accepted, packageBytes: (file: string) => readFileSync(file) };
  const keys: KnownKeys = new Map();
  // Those that are left out may have keys that the others let in.
  const needed = new Set(hosts.flatMap(({ desired: { grants } }) => grants.map(({ from }) => from.host)));
  const others = all.filter((host) => !hosts.includes(host) && needed.has(host.desired.name));
  for (const host of others) await lookAtHost(host, context, keys);
  return { hosts, context, keys };
}

async function runPlan(options: DeployOptions, command: CommandContext): Promise<void> {
  const [{ hosts, context, keys }, { lookAtHost }, { formatPlan }] = await Promise.all([
    prepare(options),
    import("../../deploy/apply.ts"),
    import("../deploy-view.ts"),
  ]);
  for (const host of hosts) {
    const look = await lookAtHost(host, context, keys);
    command.stdout.write(formatPlan(host.desired.name, look));
    if (look.kind === "failed" || look.plan.obstacles.length > 0) command.finish(exitCodes.failed);
  }
}

async function runApply(options: DeployOptions, command: CommandContext): Promise<void> {
  const { stdout } = command;
  const [{ hosts, context, keys }, { applyPlan, lookAtHost }, view] = await Promise.all([
    prepare(options),
    import("../../deploy/apply.ts"),
    import("../deploy-view.ts"),
  ]);
  const ask = askOnTerminal();
  if (ask !== undefined || options.yes !== true) {
    let changes = 0;
    for (const host of hosts) {
      const look = await lookAtHost(host, context, keys);
      stdout.write(view.formatPlan(host.desired.name, look));
      if (look.kind === "seen") changes += look.plan.steps.length + look.plan.obstacles.length;
    }
    if (changes > 0 && options.yes !== true) {
      if (ask === undefined) throw new OperatorError("nobody is here to be asked: give --yes", { kind: "usage" });
      if (!/^y(es)?$/i.test(await ask("Do this? [y/N] "))) throw new OperatorError("nothing was done");
    }
  }
  const confirm = ask === undefined ? undefined : (name: string, shown: string) => ask(view.keyQuestion(name, shown));
  const outcomes = await applyPlan(hosts, context, { keys, view: view.deployView(stdout), confirm });
  stdout.write(view.formatOutcomes(outcomes));
  if ([...outcomes.values()].some(({ kind }) => kind === "failed")) command.finish(exitCodes.failed);
}
