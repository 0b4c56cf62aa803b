import { AbortReason, abortReasonOf, childController } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import { describeError } from "../base/errors.ts";
import { type Delivery, failed, type Send } from "./channel-sender.ts";
import type { Notice } from "./notice.ts";

/** A sender that was stopped ends within this time, a command with its own escalation too. */
const stopLimitMs = 5_000;

/** One try with a time limit. Also a sender that breaks its promises is only a failed delivery. */
export async function tryDelivery(
  notice: Notice,
  { send, timeoutMs, clock, signal }: { send: Send; timeoutMs: number; clock: Clock; signal: AbortSignal },
): Promise<Delivery> {
  const controller = childController(signal);
  const tooLate = new AbortReason("timed-out", `there was no answer within ${formatDuration(timeoutMs)}`);
  const cancelTimer = clock.setTimer(timeoutMs, () => controller.abort(tooLate));
  let cancelLast: () => void = () => undefined;
  // A sender is asked to stop by its signal; one that hangs in a read of a secret, say, does not hear it.
  const tooLong = new Promise<Delivery>((resolve) => {
    const giveUp = () => {
      const { message } = abortReasonOf(controller.signal);
      cancelLast = clock.setTimer(stopLimitMs, () => resolve(failed(message, { isFinal: false })));
    };
    if (controller.signal.aborted) giveUp();
    else controller.signal.addEventListener("abort", giveUp, { once: true });
  });
  try {
    return await Promise.race([send(notice, controller.signal), tooLong]);
  } catch (error) {
    return failed(`internal error: ${describeError(error)}`, { isFinal: true });
  } finally {
    cancelTimer();
    cancelLast();
    controller.dispose();
  }
}
