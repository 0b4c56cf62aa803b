import { describePlace } from "../look.ts";
import type { FenceAnswer, HoldAnswer } from "../transport/lock-transport.ts";
import type { LockTarget } from "../transport/transport-pool.ts";

/** A further hold file that a lock names; without a `way` the configuration does not lead to its host. */
export interface FurtherFence {
  readonly host: string;
  readonly way: LockTarget | undefined;
}

/**
 * The hold files of a job that writes on several hosts, as one. It is free only when each of them is, and a token
 * is dead only when it is dead in each: as long as nobody can say so of one host, nobody can say so at all.
 */
export function joinFences(first: LockTarget, others: readonly FurtherFence[]): LockTarget {
  const all: FurtherFence[] = [{ host: first.place.host ?? "", way: first }, ...others];
  const ask = async (signal: AbortSignal): Promise<HoldAnswer> => {
    const answers = await Promise.all(all.map((fence) => askOne(fence, signal)));
    return answers.find(({ kind }) => kind === "in-use") ?? answers.find(({ kind }) => kind !== "free") ?? free;
  };
  return {
    ...first,
    transport: {
      ...first.transport,
      holds: (paths, signal) => Promise.all(paths.map(() => ask(signal))),
      fence: async ({ token }, signal) => {
        const hidden = all.find(({ way }) => way === undefined);
        if (hidden !== undefined) return { kind: "unsupported", detail: notLedTo(hidden.host) };
        // A token that is declared dead in one place stays so, and its owner may be alive after all.
        const seen = await ask(signal);
        if (seen.kind === "in-use") return { kind: "in-use" };
        if (seen.kind === "error" || seen.kind === "unknown") return seen;
        for (const fence of all) {
          const answer = await declareDead(fence, token, signal);
          if (answer.kind !== "fenced") return answer;
        }
        return { kind: "fenced" };
      },
    },
  };
}

const free: HoldAnswer = { kind: "free" };

async function askOne({ host, way }: FurtherFence, signal: AbortSignal): Promise<HoldAnswer> {
  if (way === undefined) return { kind: "unknown", detail: notLedTo(host), mayHaveRun: false };
  const [answer] = await way.transport.holds([way.path], signal);
  if (answer === undefined)
    return { kind: "unknown", detail: `${describePlace(way.place)}: no answer`, mayHaveRun: true };
  return "detail" in answer ? { ...answer, detail: `${describePlace(way.place)}: ${answer.detail}` } : answer;
}

async function declareDead({ host, way }: FurtherFence, token: string, signal: AbortSignal): Promise<FenceAnswer> {
  if (way === undefined) return { kind: "unsupported", detail: notLedTo(host) };
  const answer = await way.transport.fence({ path: way.path, token }, signal);
  return "detail" in answer ? { ...answer, detail: `${describePlace(way.place)}: ${answer.detail}` } : answer;
}

function notLedTo(host: string): string {
  return `another of its hold locks is on ${host}, which this job's configuration does not lead to`;
}
