import { join } from "node:path";
import { checkResult } from "./checks.ts";
import type { House } from "./house.ts";
import { heading } from "./screen.ts";
import { type Team, waitForRuns } from "./team.ts";
import { fingerprint } from "./trees.ts";
import { startWitness } from "./witness.ts";

/**
 * Lets `send` ask both directors for a run, watches until both have ended, and says what came of it.
 * Resolves to whether all was as it must be.
 */
export async function playAct(
  title: string,
  options: { house: House; team: Team; signal: AbortSignal; send: () => Promise<void> | void },
): Promise<boolean> {
  const { house, team, signal, send } = options;
  heading(title);
  const { directory, laptop, backup } = house;
  const data = { laptop: join(laptop.disk, "data"), backup: join(backup.disk, "data") };
  const before = { laptop: await fingerprint(data.laptop), backup: await fingerprint(data.backup) };
  const witness = startWitness(
    [
      { name: "laptop01 → backup01", isDoneBy: isRsyncWith(`${data.laptop}/`, data.backup) },
      { name: "backup01 → backup-remote", isDoneBy: isRsyncWith(`${data.backup}/`) },
    ],
    directory,
  );
  try {
    team.startedAt = Date.now();
    const runs = waitForRuns(team);
    runs.catch(() => undefined); // It may fail while the signals are still being sent; it is awaited below.
    await send();
    const outcomes = await runs;
    signal.throwIfAborted();
    heading("What came of it");
    return await checkResult({ house, before, outcomes, testimony: witness.testify() });
  } finally {
    witness.stop();
  }
}

/** rsync itself, with one of these operands here or at the end of `host:…`; ssh beside it does not write. */
function isRsyncWith(...operands: string[]): (argv: readonly string[]) => boolean {
  return ([program = "", ...args]) =>
    /(^|\/)rsync$/.test(program) &&
    args.some((arg) => operands.some((operand) => arg === operand || arg.endsWith(`:${operand}`)));
}
