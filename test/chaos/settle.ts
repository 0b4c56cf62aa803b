import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseIntents } from "../../src/lock/recovery/intents-file.ts";
import { locksIn } from "../support/lock-names.ts";
import type { Contender } from "./contender.ts";
import { type Operation, readRecord } from "./history.ts";
import type { Lab } from "./lab.ts";

/** Waits until every job has succeeded once more; those that have not in time are noted. */
export async function settle(
  lab: Lab,
  contenders: readonly Contender[],
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<void> {
  for (const contender of contenders) await contender.start();
  const before = new Map(contenders.map((contender) => [contender, contender.successes()]));
  const waiting = () => contenders.filter((contender) => contender.successes() <= (before.get(contender) ?? 0));
  const deadline = Date.now() + withinMs;
  while (waiting().length > 0 && Date.now() < deadline && !signal.aborted) await wait(200);
  if (!signal.aborted) for (const { name } of waiting()) lab.note({ kind: "starved", client: name });
}

/** Stops every director in good order and notes what it has left behind. */
export async function stopAll(lab: Lab, contenders: readonly Contender[]): Promise<void> {
  for (const contender of contenders) contender.rest();
  const left = (await Promise.all(contenders.map(async (contender) => stopOne(lab, contender)))).flat();
  for (const { name } of lab.network.hosts) {
    const directory = lab.host(name).path("locks");
    left.push(...(await locksIn(directory)).map((lock) => join(directory, lock)));
  }
  left.push(...lab.witness.living().map((writer) => `writer ${writer}`));
  lab.note({ kind: "left", paths: left.filter((path) => !path.includes(".broken.")) });
}

async function stopOne(lab: Lab, contender: Contender): Promise<string[]> {
  const late = wait(60_000, "late" as const, { ref: false });
  const end = await Promise.race([contender.stop(), late]);
  if (end === "late") return [`${contender.name}: its director does not end`];
  if (end !== undefined && end !== 0) return [`${contender.name}: its director ended with ${end}`];
  const file = join(lab.root, "directors", contender.name, "state", `intents-${contender.name}.json`);
  const intents = existsSync(file) ? parseIntents(readFileSync(file, "utf8")) : [];
  const unanswered = unansweredClaims(readRecord(join(lab.root, "records", `${contender.name}.jsonl`)));
  const left = intents?.filter(({ tokens }) => !tokens.every((token) => unanswered.has(token)));
  return left?.length === 0 ? [] : [`${file}: ${JSON.stringify(left)}`];
}

/**
 * Tokens of claims that a server which was cut off may still carry out. They are released again and again for a day, by
 * the next director too: what it has to know of them stays in the intents.
 */
function unansweredClaims(operations: readonly Operation[]): ReadonlySet<string | undefined> {
  const claims = operations.filter(
    ({ op, answer }) => op === "acquire" && answer.is === "unknown" && answer.sent !== false,
  );
  return new Set(claims.map(({ token }) => token));
}
