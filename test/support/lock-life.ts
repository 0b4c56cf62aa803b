import { setMaxListeners } from "node:events";
import type { Claim, LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { lockContent } from "./lock-fixture.ts";

const never = new AbortController().signal;
// Many listen to it at the same time.
setMaxListeners(0, never);
/** Whatever one connection suffers, the next ones are sound. */
const mostTries = 4;

export interface LockLife {
  /** The last answer of every step. */
  readonly answers: Readonly<Record<"acquire" | "check" | "promote" | "beat" | "release", string>>;
  readonly triesOf: (step: string) => number;
  /** Every answer that was not the last of its step. */
  readonly doubts: readonly string[];
}

/**
 * Takes a lock, looks at it, promotes it, gives a sign of life and gives it back, as a caller does who is not
 * sure of an answer: by asking again with the same token.
 */
export async function liveOnce(transport: LockTransport, path: string, token: string): Promise<LockLife> {
  const [claim, held] = ["claim", "held!"].map((job): Claim => ({ path, token, content: lockContent({ token, job }) }));
  if (claim === undefined || held === undefined) throw new Error("unreachable");
  const own = [{ path, token }];
  const doubts: string[] = [];
  const tries = new Map<string, number>();
  const insist = async (step: string, ask: () => Promise<{ readonly kind: string } | undefined>) => {
    for (let attempt = 1; ; attempt += 1) {
      tries.set(step, attempt);
      const kind = (await ask())?.kind ?? "no answer";
      if (kind !== "unknown" || attempt === mostTries) return kind;
      doubts.push(`${step} ${kind}`);
    }
  };
  const answers = {
    acquire: await insist(
      "acquire",
      async () => (await transport.acquire({ claims: [claim], thenCheck: [] }, never)).claims[0],
    ),
    check: await insist("check", async () => (await transport.check([path], never))[0]),
    promote: await insist("promote", async () => (await transport.promote([held], never))[0]),
    beat: await insist("beat", async () => (await transport.beat(own, never))[0]),
    release: await insist("release", async () => (await transport.release(own, never))[0]),
  };
  return { answers, doubts, triesOf: (step) => tries.get(step) ?? 0 };
}
