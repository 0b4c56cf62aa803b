import type { History } from "./history.ts";
import { type LockLife, lockLives, mayBeTaken } from "./lock-lives.ts";
import { excerptOf, type Violation } from "./violation.ts";

/** S1: no two clients own one lock file at the same time, unless one of them was robbed of it. */
export function checkOwnership(history: History): Violation[] {
  const { events, operations } = history;
  const owned = lockLives(history).filter(({ ownedFrom, ownedUntil }) => ownedFrom < ownedUntil);
  const byPath = new Map<string, LockLife[]>();
  for (const life of owned) byPath.set(life.path, [...(byPath.get(life.path) ?? []), life]);
  return [...byPath.values()].flatMap((lives) =>
    overlaps(lives).flatMap(([one, other]) => {
      const since = Math.max(one.ownedFrom, other.ownedFrom);
      if (mayBeTaken(one, since, events) || mayBeTaken(other, since, events)) return [];
      const { path } = one;
      const what = `${path} was owned by ${nameOf(one)} and by ${nameOf(other)} at ${since}`;
      const to = Math.min(one.ownedUntil, other.ownedUntil, since + 60_000);
      const from = Math.min(one.ownedFrom, other.ownedFrom) - 1000;
      return [{ property: "S1" as const, what, excerpt: excerptOf(operations, { paths: [path], from, to }) }];
    }),
  );
}

function nameOf({ claim, token }: LockLife): string {
  return `${claim?.client} (${token})`;
}

/** Pairs that were owned at the same time beyond doubt. */
function overlaps(lives: readonly LockLife[]): [LockLife, LockLife][] {
  const inOrder = lives.toSorted((a, b) => a.ownedFrom - b.ownedFrom);
  return inOrder.flatMap((one, index) =>
    inOrder
      .slice(index + 1)
      .filter((other) => other.ownedFrom < one.ownedUntil)
      .map((other): [LockLife, LockLife] => [one, other]),
  );
}
