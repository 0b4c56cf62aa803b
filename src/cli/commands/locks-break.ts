import type { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { BreakCandidate, BreakOutcome } from "../../daemon/inspect/break-lock.ts";
import type { CatalogDeps } from "../../daemon/inspect/lock-catalog.ts";
import { askOnTerminal, type Ask } from "../ask.ts";
import type { CommandContext } from "../command-context.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { configsOption, loadConfigs, lookDeps } from "../look-at-locks.ts";

export interface LocksBreakOptions {
  config?: readonly string[];
  token?: string;
  yes?: boolean;
  foreign?: boolean;
  unlink?: boolean;
  unproven?: boolean;
}

/** `rsyncdirector locks break`: a person breaks exactly the lock that he was shown. */
export function addLocksBreakCommand(locks: Command, context: CommandContext): void {
  locks
    .command("break")
    .description("Show a lock that nobody gives back, ask, and move it aside, if it is still the same one.")
    .argument("<lock>", "PATH on this host, or HOST:PATH, as `locks` shows it")
    .addOption(configsOption())
    .option("--token <token>", "only if it is this one (of a foreign lock: the SHA-256 of its content)")
    .option("-y, --yes", "do not ask; without a terminal it needs --token too")
    .option("--foreign", "also a lock of another program, told by its content and time")
    .option("--unlink", "over sftp: remove it by its token, which is all that can be done there")
    .option("--unproven", "also when the host that could tell whether a writer lives cannot be asked")
    .action((name: string, options: LocksBreakOptions, command: Command) => {
      const config = options.config ?? command.parent?.opts<LocksBreakOptions>().config;
      return runLocksBreak(name, { ...options, ...(config === undefined ? {} : { config }) }, context);
    })
    .addHelpText("after", breakHelp);
}

const breakHelp = `
It breaks the very lock that it shows. If that has given a sign of life meanwhile, was given back, or is another's,
nothing is done. A lock whose writer is alive, as the kernel of the destination says, is never broken. Where
nobody can say that, it says what YOU have to make sure of first. A lock that was broken is kept beside
as PATH.broken.TOKEN, and the history and the log files say who broke it.

Over sftp nothing can be moved aside safely. --unlink reads the file, compares its token and removes it: whoever makes
the lock anew between the two loses it.

Examples:
  rsyncdirector locks break backup01:/run/rsyncdirector-locks/data.lock -c laptop.yaml
  rsyncdirector locks break /run/old.lock --foreign -c laptop.yaml
  rsyncdirector locks break /run/own.lock --yes --token 0c5fVbnW2Hk1mYrA9tJx4Q -c laptop.yaml

Exit status:
  0 broken, or free already   1 not broken: refused, in use, changed, or you said no
  75 it cannot be told   78 wrong usage or configuration`;

export interface BreakBounds extends Pick<CatalogDeps, "connectTimeoutMs" | "withinMs"> {
  /** Undefined: nobody is there to be asked. */
  readonly ask?: Ask | undefined;
}

/** Shows, asks, breaks and records. */
export async function runLocksBreak(
  name: string,
  options: LocksBreakOptions,
  context: CommandContext,
  bounds: BreakBounds = { ask: askOnTerminal() },
): Promise<void> {
  if (bounds.ask === undefined && (options.yes !== true || options.token === undefined)) {
    const told = "locks --json tells the token; of a lock of another program it is the sha256sum of the file";
    throw new OperatorError(`nobody is there to be asked: without a terminal it needs --yes and --token (${told})`, {
      kind: "usage",
    });
  }
  const configs = await loadConfigs(options.config, context);
  const [{ openLockCatalog }, breaking, lookup, view] = await Promise.all([
    import("../../daemon/inspect/lock-catalog.ts"),
    import("../../daemon/inspect/break-lock.ts"),
    lookDeps(context),
    import("../locks-break-view.ts"),
  ]);
  const deps = { ...lookup, ...bounds };
  const catalog = await openLockCatalog(configs, deps);
  const finish = (text: string, code: ExitCode) => {
    (code === exitCodes.ok ? context.stdout : context.stderr).write(`${text}\n`);
    context.finish(code);
  };
  try {
    const lock = breaking.findLock(catalog, name);
    const candidate = await breaking.inspectLock(lock, catalog, deps);
    const { report } = candidate;
    if (report.state === "free") return finish(`${name}: it is free, there is nothing to break`, exitCodes.ok);
    const width = Math.max(60, context.stdout.columns ?? 80);
    context.stdout.write(view.formatCandidate(candidate, { width, unlink: options.unlink === true }));
    const refusal = refusalOf(candidate, options);
    if (refusal !== undefined) return finish(`${name}: ${refusal.text}`, refusal.code);
    if (options.yes !== true) {
      const answer = await bounds.ask?.("Break it? Type yes: ");
      if (answer !== "yes") return finish(`${name}: you did not say yes, so nothing was done`, exitCodes.failed);
    }
    const manner = { unlink: options.unlink === true, unproven: options.unproven === true };
    const outcome = await breaking.breakCandidate(lock, candidate, { catalog, manner });
    if (outcome.kind === "broken" || outcome.kind === "removed") {
      const command = commandOf(name, options);
      const about = { command, outcome, clock: deps.clock, env: context.env };
      const failures = await breaking.recordBreak(lock.config, candidate, about);
      for (const failure of failures) context.stderr.write(`warning: not recorded in ${failure}\n`);
    }
    finish(view.describeOutcome(outcome, report), exitCodeOf(outcome));
  } finally {
    await catalog.close();
  }
}

/** What speaks against even asking. */
function refusalOf(
  { report, id, detail }: BreakCandidate,
  { foreign, token }: LocksBreakOptions,
): { text: string; code: ExitCode } | undefined {
  const refuse = (text: string, code: ExitCode = exitCodes.failed) => ({ text, code });
  if (report.state === "unknown")
    return refuse("it cannot be told who holds it, so nothing was done", exitCodes.temporary);
  if (report.writer?.state === "alive") {
    return refuse("a writer is alive at its destination: nothing was done. End that process first");
  }
  if (report.state === "foreign" && foreign !== true) {
    return refuse("it was made by another program: --foreign breaks it all the same");
  }
  if (id === undefined) {
    const why = detail ?? "it has just changed";
    const byHand = "make sure that its program has ended, and remove the file on its host";
    return refuse(why.startsWith("it has just") ? `${why}: nothing was done. Look again` : `${why}; ${byHand}`);
  }
  if (token !== undefined && token !== id) return refuse("it is not the one of that --token: nothing was done");
  return undefined;
}

function commandOf(name: string, options: LocksBreakOptions): string {
  const flags = (["yes", "foreign", "unlink", "unproven"] as const).filter((flag) => options[flag] === true);
  return ["rsyncdirector locks break", name, ...flags.map((flag) => `--${flag}`)].join(" ");
}

function exitCodeOf({ kind }: BreakOutcome): ExitCode {
  switch (kind) {
    case "broken":
    case "removed":
    case "gone":
      return exitCodes.ok;
    case "unknown":
      return exitCodes.temporary;
    default:
      return exitCodes.failed;
  }
}
