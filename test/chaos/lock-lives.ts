import type { History, LabEvent, Operation } from "./history.ts";

/** One token at one path, from its claim on, as all clients together saw it. */
export interface LockLife {
  readonly path: string;
  readonly token: string;
  /** The claim; there is none of a token that nobody recorded. */
  readonly claim: Operation | undefined;
  /** Operations that prove that it was there at some moment between their question and their answer. */
  readonly sightings: readonly Operation[];
  /** Releases and breaks of this token, whatever was answered. */
  readonly removals: readonly Operation[];
  /** What made it a lock that counts. */
  readonly promotion: Operation | undefined;
  /** The owner believed it its own from the answer to its claim … */
  readonly ownedFrom: number;
  /** … until it gave it back, was told that it is lost, or died. */
  readonly ownedUntil: number;
  /** When the owner's process ended, if the lab saw it. */
  readonly ownerEnded: number;
}

const proofs = new Set(["acquired", "promoted", "beaten", "released", "broken"]);

/** Whether an operation may have changed something although nobody can say. */
export function mayHaveRun({ answer }: Operation): boolean {
  return answer.is === "unknown" && answer.sent !== false;
}

/** Whether it is proven by the answer that this token was at the path. */
function proves(operation: Operation, token: string): boolean {
  const { answer } = operation;
  return (operation.token === token && proofs.has(answer.is)) || answer.found?.token === token;
}

export function lockLives({ operations, events }: History): LockLife[] {
  const byKey = new Map<string, { path: string; token: string; about: Operation[] }>();
  for (const operation of operations) {
    for (const token of new Set([operation.token, operation.answer.found?.token ?? undefined])) {
      if (token === undefined) continue;
      const key = `${operation.path}\n${token}`;
      const entry = byKey.get(key) ?? { path: operation.path, token, about: [] };
      entry.about.push(operation);
      byKey.set(key, entry);
    }
  }
  return [...byKey.values()].map((entry) => lifeOf(entry, events));
}

function lifeOf(
  { path, token, about }: { path: string; token: string; about: readonly Operation[] },
  events: readonly LabEvent[],
): LockLife {
  const own = about.filter((operation) => operation.token === token);
  const claim = own.find(({ op }) => op === "acquire");
  const done = own.find(({ op, answer }) => op === "acquire" && answer.is === "acquired");
  const removals = own.filter(({ op }) => op === "release" || op === "break");
  // A lock that needs no second look is held as soon as it is claimed.
  const promotion = own.find(
    ({ answer, state }) => answer.is === "promoted" || (answer.is === "acquired" && state === "held"),
  );
  const ownerEnded = claim === undefined ? Infinity : endOf(claim, events);
  const ends = own.filter(({ proc }) => proc === claim?.proc).map(endOfBelief);
  return {
    path,
    token,
    claim,
    sightings: about.filter((operation) => proves(operation, token)),
    removals,
    promotion,
    ownedFrom: done?.returned ?? Infinity,
    ownedUntil: Math.min(ownerEnded, ...ends),
    ownerEnded,
  };
}

/** When this operation of the owner ended its belief that the lock is its own. */
function endOfBelief({ op, invoked, returned, answer }: Operation): number {
  if (op === "release") return invoked;
  return answer.is === "lost" || answer.is === "absent" ? returned : Infinity;
}

function endOf({ proc }: Operation, events: readonly LabEvent[]): number {
  const [client, pid] = proc.split(":");
  const ended = events.find((event) => event.kind === "ended" && event.client === client && event.pid === Number(pid));
  return ended?.t ?? Infinity;
}

/** Whether this lock may have been taken from its owner before `t`: broken, or gone with its directory. */
export function mayBeTaken({ path, removals, ownedFrom }: LockLife, t: number, events: readonly LabEvent[]): boolean {
  const broken = removals.some(
    (removal) =>
      removal.op === "break" && removal.invoked < t && (removal.answer.is === "broken" || mayHaveRun(removal)),
  );
  return broken || wipes(path, events).some((wiped) => wiped < t && wiped > ownedFrom - 60_000);
}

/** When the directory of a lock lost its files. */
export function wipes(path: string, events: readonly LabEvent[]): number[] {
  return events.flatMap((event) => (event.kind === "wiped" && path.startsWith(`${event.directory}/`) ? [event.t] : []));
}
