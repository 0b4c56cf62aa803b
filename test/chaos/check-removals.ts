import { describe } from "./check-writers.ts";
import { firstAfter, type History, type LabEvent, type Operation, operationsBy, type Writer } from "./history.ts";
import { type LockLife, lockLives, mayHaveRun, wipes } from "./lock-lives.ts";
import { describeOperation, excerptOf, type Violation } from "./violation.ts";

/** A writer's end is noticed a little late; whoever is seen for longer after a removal was there at it. */
const noticeMs = 500;

/** What a whole second of the lock host's clock and the poll of the observer may take off a window. */
const slackMs = 2000;

/** S4: nobody removes a lock that is neither its own nor proven stale, and none comes back. */
export function checkRemovals(history: History): Violation[] {
  const lives = lockLives(history);
  const atPath = operationsBy(history.operations, ({ path }) => path);
  return lives.flatMap((life) => [
    ...foreignReleases(life),
    ...earlyBreaks(life),
    ...beforeWriters(life, history),
    ...disappearance(life, atPath.get(life.path) ?? [], history.events),
    ...returns(life),
  ]);
}

function violation(what: string, ...operations: readonly Operation[]): Violation {
  return { property: "S4", what, excerpt: operations.map(describeOperation) };
}

function foreignReleases({ claim, path, removals }: LockLife): Violation[] {
  return removals
    .filter(({ op, answer, client }) => op === "release" && answer.is === "released" && client !== claim?.client)
    .map((release) =>
      violation(`${release.client} gave back ${path}, which it never took`, ...(claim ? [claim] : []), release),
    );
}

/** A lock may be broken when its owner gave no sign of life for its ttl and a tenth more, or is dead on that very host. */
function earlyBreaks({ path, token, claim, sightings, removals, ownerEnded }: LockLife): Violation[] {
  return removals.flatMap((removal) => {
    const { op, answer, host, returned, client } = removal;
    if (op !== "break" || answer.is !== "broken") return [];
    if (host === null && ownerEnded <= returned) return [];
    const signs = sightings.filter(
      (sign) => sign.proc === claim?.proc && ["acquired", "promoted", "beaten"].includes(sign.answer.is),
    );
    const before = signs.filter(({ invoked }) => invoked < returned);
    const last = before.at(-1);
    if (last === undefined || claim === undefined) return [];
    const { ttl = 0, hb = 0 } = signs.find(({ op: of }) => of === "promote") ?? claim;
    const needed = 1000 * Math.max(1.1 * ttl, 3 * hb) - slackMs;
    const silent = returned - last.invoked;
    if (silent >= needed) return [];
    const what = `${client} broke ${path} (${token}) after ${silent} ms without a sign of life, ${needed} are needed`;
    return [violation(what, claim, last, removal)];
  });
}

/** A lock stays as long as somebody writes under it. */
function beforeWriters({ path, token, claim, removals }: LockLife, { writers, setup }: History): Violation[] {
  const job = setup.jobs.find(({ name }) => name === claim?.job);
  if (job?.fenced !== true) return [];
  const own = writers.filter((writer) => writer.job === job.name && isUnder(writer, { token, claim }));
  return removals.flatMap((removal) => {
    const { answer, invoked, returned, client } = removal;
    if (answer.is !== "broken" && answer.is !== "released") return [];
    return own
      .filter(({ started, ended }) => started < invoked && ended - noticeMs > returned)
      .map((writer) => {
        const what = `${client} removed ${path} (${token}) while ${writer.id} wrote under it`;
        return { ...violation(what, removal), excerpt: [describe(writer), describeOperation(removal)] };
      });
  });
}

/** Beside a lock on another host there is no token to be seen. */
function isUnder({ tokens, started }: Writer, { token, claim }: Pick<LockLife, "token" | "claim">): boolean {
  if (tokens.length > 0) return tokens.includes(token);
  return claim !== undefined && started > claim.returned && started - claim.returned < 600_000;
}

/** A lock that was there and is not any more: somebody must have removed it in a way that the protocol has. */
function disappearance(life: LockLife, operations: readonly Operation[], events: readonly LabEvent[]): Violation[] {
  const { path, token, sightings, removals } = life;
  const seen = Math.max(...sightings.map(({ returned }) => returned));
  if (!Number.isFinite(seen)) return [];
  const gone = operations.slice(firstAfter(operations, seen)).find((operation) => provesOther(operation, token));
  if (gone === undefined) return [];
  const explained = removals.some(
    (removal) =>
      removal.invoked <= gone.returned && (["released", "broken"].includes(removal.answer.is) || mayHaveRun(removal)),
  );
  const first = Math.min(...sightings.map(({ invoked }) => invoked));
  if (explained || wipes(path, events).some((t) => t >= first && t <= gone.returned)) return [];
  const excerpt = excerptOf(operations, { paths: [path], from: seen - 5000, to: gone.returned });
  return [{ property: "S4", what: `${path} (${token}) vanished: no operation of the protocol removed it`, excerpt }];
}

/** Whether the token was certainly not at the path at some moment of this operation. */
function provesOther({ answer, token: own, op }: Operation, token: string): boolean {
  if (answer.is === "absent") return true;
  if (answer.found !== undefined) return answer.found.token !== token;
  return op === "acquire" && answer.is === "acquired" && own !== token;
}

/** Nothing that was certainly removed is there again: a claim is made once. */
function returns({ path, token, sightings, removals }: LockLife): Violation[] {
  const removal = removals.find(({ answer }) => answer.is === "released" || answer.is === "broken");
  if (removal === undefined) return [];
  return sightings
    .filter((sighting) => sighting.invoked > removal.returned)
    .slice(0, 1)
    .map((again) => violation(`${path} (${token}) came back after it was removed`, removal, again));
}
