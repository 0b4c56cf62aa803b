import type { CancelTimer } from "../base/clock.ts";
import type { ItemizedChange, TransferProgress, TransferStats } from "../model/transfer.ts";
import { createOutputTail } from "../process/output-tail.ts";
import type { OutputStream, ProcessOptions, ProcessResult, ProcessSpec } from "../process/process-contract.ts";
import { runProcess } from "../process/run-process.ts";
import { createFailureReader } from "./exit-codes.ts";
import { type HoldRefusal, readHoldRefusal } from "./hold-wrapper.ts";
import { parseItemizedChange } from "./itemized-changes.ts";
import { parseProgress } from "./progress.ts";
import { createStatsReader } from "./stats.ts";

export interface RsyncRunOptions extends Omit<ProcessOptions, "onLine" | "onChunk"> {
  /** Every line but progress updates. */
  readonly onOutput?: ((stream: OutputStream, line: string) => void) | undefined;
  /** At most five times a second. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Needs `--itemize-changes` in the argv. */
  readonly onChange?: ((change: ItemizedChange) => void) | undefined;
  /** Says of a line of standard output whether it was for the caller alone. */
  readonly takeLine?: ((line: string) => boolean) | undefined;
  /** Itemised lines are for `onChange` alone: nobody else asked for them. */
  readonly hidesChanges?: boolean | undefined;
}

export interface RsyncResult {
  readonly process: ProcessResult;
  /** null when rsync printed none (`-q`, an early failure). */
  readonly stats: TransferStats | null;
  /** The end of what it wrote, without progress updates. */
  readonly output: string;
  /** A cause that another try cannot remove, in words for the operator. */
  readonly lastingCause: string | undefined;
  /** rsync's or ssh's first complaint. */
  readonly firstError: string | undefined;
  /** The writer was not let in; its exit code says nothing then (12 as a rule, also 75 to 77). */
  readonly holdRefusal: HoldRefusal | undefined;
}

const progressIntervalMs = 200;

/** Runs rsync to its end and reads what it says on the way. The argv comes from `buildRsyncCommand`. */
export async function runRsync(spec: ProcessSpec, options: RsyncRunOptions): Promise<RsyncResult> {
  const { onOutput, onChange, takeLine, hidesChanges = false, ...processOptions } = options;
  const tail = createOutputTail();
  const stats = createStatsReader();
  const failure = createFailureReader();
  const progress = createProgressReader(options);
  let holdRefusal: HoldRefusal | undefined;
  const onLine = (stream: OutputStream, line: string, overwrites: boolean) => {
    if (stream === "stdout" && overwrites && progress.take(line)) return;
    if (stream === "stdout" && takeLine?.(line) === true) return;
    const change = stream === "stdout" && onChange !== undefined ? parseItemizedChange(line) : undefined;
    if (change !== undefined) {
      onChange?.(change);
      if (hidesChanges) return;
    }
    tail.addLine(line);
    failure.addLine(stream, line);
    if (stream === "stderr") holdRefusal ??= readHoldRefusal(line);
    if (stream === "stdout") stats.addLine(line);
    onOutput?.(stream, line);
  };
  try {
    const process = await runProcess(spec, { ...processOptions, onLine });
    progress.flush();
    const lastingCause = process.kind === "exited" ? failure.lastingCause(process.code) : undefined;
    const firstError = failure.firstError();
    return { process, stats: stats.stats(), output: tail.text(), lastingCause, firstError, holdRefusal };
  } finally {
    progress.stop();
  }
}

/** rsync writes an update for every file: only the newest of each interval is read and handed on. */
function createProgressReader({ clock, onProgress }: RsyncRunOptions) {
  let newest: string | undefined;
  let cancelTimer: CancelTimer | undefined;
  const flush = () => {
    cancelTimer = undefined;
    const progress = newest === undefined ? undefined : parseProgress(newest);
    newest = undefined;
    if (progress !== undefined) onProgress?.(progress);
  };
  return {
    /** Whether the line is an update, which only its beginning is looked at for. */
    take: (line: string): boolean => {
      if (!/^ {2,}[\d,.]+[KMGTP]? +\d{1,3}% /.test(line)) return false;
      newest = line;
      if (onProgress !== undefined) cancelTimer ??= clock.setTimer(progressIntervalMs, flush);
      return true;
    },
    flush,
    stop: () => cancelTimer?.(),
  };
}
