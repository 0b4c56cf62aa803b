import { AbortReason, childController } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import { describeError } from "../base/errors.ts";
import { type Delivery, failed, type Send } from "./channel-sender.ts";
import type { Notice } from "./notice.ts";

/** One try with a time limit. Also a sender that breaks its promises is only a failed delivery. */
export async function tryDelivery(
  notice: Notice,
  { send, timeoutMs, clock, signal }: { send: Send; timeoutMs: number; clock: Clock; signal: AbortSignal },
): Promise<Delivery> {
  const controller = childController(signal);
  const tooLate = new AbortReason("timed-out", `there was no answer within ${formatDuration(timeoutMs)}`);
  const cancelTimer = clock.setTimer(timeoutMs, () => controller.abort(tooLate));
  try {
    return await send(notice, controller.signal);
  } catch (error) {
    return failed(`internal error: ${describeError(error)}`, { isFinal: true });
  } finally {
    cancelTimer();
    controller.dispose();
  }
}
