import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { acquireCommand, beatCommand, promoteCommand, releaseCommand } from "../../src/lock/transport/lock-script.ts";
import { lockContent } from "./lock-fixture.ts";
import { type LockShell, openLockShell, wanting } from "./lock-shell.ts";
import { makeTempDir } from "./temp-dir.ts";

export const token = "my-own-token-0123456789";
export const claimed = lockContent({ token, state: "claim" });
/** As long as the other, as a director makes them. */
export const held = lockContent({ token, state: "held", run: "their-run!!", hold: true });
/** Read by a shell behind the script: it is kept, and has its helper at once. */
export const withHelper = `${wanting("at once")}rd_want_helper\n`;

/** One life of a lock that nothing is in the way of. */
export const life = {
  claim: (path: string) =>
    acquireCommand({
      claims: [{ path, token, content: claimed }],
      thenCheck: [`${path}.other`],
      thenPromote: [{ path, token, content: held }],
    }),
  "sign of life": (path: string) => beatCommand([{ path, token, status: "half of it" }]),
  promotion: (path: string) => promoteCommand([{ path, token, content: held }]),
  release: (path: string) => releaseCommand([{ path, token }]),
};
export type Step = keyof typeof life;
export const steps = Object.keys(life) as Step[];

export async function live(shell: LockShell, path: string): Promise<string[]> {
  const said: string[] = [];
  for (const step of steps) said.push(...((await shell.run(life[step](path))) ?? [`no answer to the ${step}`]));
  return said;
}

export const wholeLife = ["0 ACQUIRED", "1 ABSENT", "2 PROMOTED", "0 BEATEN", "0 PROMOTED", "0 RELEASED"];

/** A lock that is as far as it is before that step, by a shell of its own. */
export async function prepare(step: Step): Promise<string> {
  const path = join(await makeTempDir(), "a.lock");
  if (step === "claim") return path;
  const shell = await openLockShell();
  await shell.run(life.claim(path));
  await shell.end();
  return path;
}

/** What the lock is now: the content of it, and whether its guard is free. */
export async function look(path: string): Promise<string> {
  await execa("flock", ["--exclusive", "--nonblock", `${path}.guard`, "true"]);
  const content = await readFile(path, "utf8").catch(() => "nothing");
  return content === held ? "held" : content === claimed ? "claimed" : content;
}

/** An answer, and what the lock has to be then. */
export const truths: Record<Step, { readonly answers: readonly string[]; readonly lock: string }> = {
  claim: { answers: wholeLife.slice(0, 3), lock: "held" },
  "sign of life": { answers: ["0 BEATEN"], lock: "held" },
  promotion: { answers: ["0 PROMOTED"], lock: "held" },
  release: { answers: ["0 RELEASED"], lock: "nothing" },
};
