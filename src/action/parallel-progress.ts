import type { TransferProgress } from "../model/transfer.ts";
import type { FileToCopy } from "../rsync/part-words.ts";

/** How far several rsyncs are that share a sync, as if they were one. */
export interface SharedProgress {
  ofPart(number: number): (progress: TransferProgress) => void;
  /** The rsync that comes after the parts. */
  ofLast(progress: TransferProgress): void;
}

/** `files` are all that the parts have to copy. */
export function shareProgress(
  files: readonly FileToCopy[],
  onProgress: (progress: TransferProgress) => void,
): SharedProgress {
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const parts = new Map<number, TransferProgress>();
  const together = (): TransferProgress => {
    const all = [...parts.values()];
    const sum = (of: (progress: TransferProgress) => number | null) =>
      all.reduce((total, progress) => total + (of(progress) ?? 0), 0);
    const bytes = sum((progress) => progress.bytes);
    const filesTransferred = sum((progress) => progress.filesTransferred);
    return {
      bytes,
      percent: totalBytes === 0 ? 100 : Math.min(100, Math.floor((100 * bytes) / totalBytes)),
      bytesPerSecond: sum((progress) => progress.bytesPerSecond),
      filesTransferred,
      filesToCheck: Math.max(0, files.length - filesTransferred),
      filesTotal: files.length,
    };
  };
  return {
    ofPart: (number) => (progress) => {
      parts.set(number, progress);
      onProgress(together());
    },
    ofLast: (progress) => {
      const { bytes, percent, filesTransferred } = together();
      onProgress({
        ...progress,
        bytes: bytes + progress.bytes,
        percent,
        filesTransferred:
          progress.filesTransferred === null ? null : (filesTransferred ?? 0) + progress.filesTransferred,
      });
    },
  };
}
