import { setMaxListeners } from "node:events";
import { AbortReason, childController } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { quoteUntrusted, safeWord } from "../base/untrusted-text.ts";
import { interruptible } from "./interruptible.ts";
import type { CheckAnswer, FoundLock } from "./transport/lock-transport.ts";
import type { LockTarget } from "./transport/transport-pool.ts";

/** Where one lock file stands. Only `absent` is free. */
export type Sight =
  | { readonly state: "absent" }
  | { readonly state: "held"; readonly found: FoundLock; readonly seen?: LookTime }
  | { readonly state: "unknown"; readonly detail: string };

/** The file was looked at between these two moments (monotonic). */
export interface LookTime {
  readonly from: number;
  readonly until: number;
}

/**
 * Looks at all targets, one trip per host and all hosts at once; the answers are in the order of the
 * targets. A host that has not answered within `withinMs`, or when the signal is aborted, is unknown.
 */
export async function lookAt(
  targets: readonly LockTarget[],
  options: { clock: Clock; signal: AbortSignal; withinMs: number | undefined },
): Promise<Sight[]> {
  const { clock, signal, withinMs } = options;
  const ending = childController(signal);
  const end = ending.signal;
  // One listener or two per host: more than ten are no leak here.
  setMaxListeners(0, end);
  const expire = () => ending.abort(new AbortReason("timed-out", "the look took too long"));
  const cancelTimer = withinMs === undefined ? () => undefined : clock.setTimer(withinMs, expire);
  const sights: Sight[] = targets.map(() => ({ state: "unknown", detail: "no answer in time" }));
  const lookAtHost = async (numbers: readonly number[]) => {
    const here = numbers.map((number) => targets[number] as LockTarget);
    const first = here[0] as LockTarget;
    const from = clock.monotonic();
    const look = await interruptible(
      first.transport.check(
        here.map(({ path }) => path),
        end,
      ),
      end,
    );
    if (look.kind === "interrupted" || end.aborted) return;
    const seen = { from, until: clock.monotonic() };
    for (const [index, number] of numbers.entries()) {
      sights[number] = toSight(look.value[index], seen);
    }
  };
  await Promise.all(byTransport(targets).map(lookAtHost));
  cancelTimer();
  ending.dispose();
  return sights;
}

/** The numbers of the targets that share a transport, in the order of their first appearance. */
function byTransport(targets: readonly LockTarget[]): number[][] {
  const groups = new Map<unknown, number[]>();
  targets.forEach(({ transport }, number) => {
    groups.set(transport, [...(groups.get(transport) ?? []), number]);
  });
  return [...groups.values()];
}

export function toSight(answer: CheckAnswer | undefined, seen: LookTime): Sight {
  switch (answer?.kind) {
    case "absent":
      return { state: "absent" };
    case "held":
      return { state: "held", found: answer.found, seen };
    case "error":
    case "unknown":
      return { state: "unknown", detail: answer.detail };
    default:
      return { state: "unknown", detail: "no answer" };
  }
}

/** What to tell people about a file that is in the way. */
export function describeSight(sight: Sight): string {
  if (sight.state === "absent") return "free";
  if (sight.state === "unknown") return `cannot be told: ${sight.detail}`;
  const { record, owner } = sight.found;
  if (record === null) return `held by another program (first line: ${quoteUntrusted(owner)})`;
  const [job, name, host, since] = [record.job, record.owner.name, record.owner.host, record.created];
  return `held by job ${safeWord(job)} of ${safeWord(name)} on ${safeWord(host)} (pid ${record.owner.pid}, since ${safeWord(since)})`;
}

/** `host:path`, or the path alone on this host. */
export function describePlace({ host, path }: { host: string | null; path: string }): string {
  return host === null ? path : `${host}:${path}`;
}
