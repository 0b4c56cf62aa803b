/** The end of a long output, in bounded memory. */
export interface OutputTail {
  /** Adds one line; its end is added by the tail. */
  addLine(line: string): void;
  /** What is kept, beginning at a line's start when something older was dropped. */
  text(): string;
}

const outputTailBytes = 1024 * 1024;

const firstCapacity = 4096;
const newline = 0x0a;

/**
 * Keeps the last `limit` bytes of what was added. The bytes lie in a ring that grows with need, so
 * that short outputs stay cheap and endless ones stay flat.
 */
export function createOutputTail(limit: number = outputTailBytes): OutputTail {
  let ring = Buffer.allocUnsafe(Math.min(firstCapacity, limit));
  let total = 0;

  const grow = (needed: number) => {
    if (total > ring.length || ring.length === limit) return;
    let capacity = ring.length;
    while (capacity < needed && capacity < limit) capacity = Math.min(capacity * 2, limit);
    if (capacity === ring.length) return;
    const bigger = Buffer.allocUnsafe(capacity);
    ring.copy(bigger, 0, 0, total);
    ring = bigger;
  };
  const addBytes = (bytes: Buffer) => {
    grow(total + bytes.length);
    // Of a line longer than the whole ring only the end can stay; the rest still counts as seen.
    const kept = bytes.length > ring.length ? bytes.subarray(bytes.length - ring.length) : bytes;
    total += bytes.length - kept.length;
    const position = total % ring.length;
    const beforeWrap = kept.copy(ring, position);
    if (beforeWrap < kept.length) kept.copy(ring, 0, beforeWrap);
    total += kept.length;
  };
  return {
    addLine: (line) => {
      const length = Buffer.byteLength(line) + 1;
      grow(total + length);
      const position = total % ring.length;
      if (position + length > ring.length) return addBytes(Buffer.from(`${line}\n`));
      // No buffer of its own for each of very many lines.
      ring.write(line, position);
      ring[position + length - 1] = newline;
      total += length;
    },
    text: () => {
      if (total <= ring.length) return ring.toString("utf8", 0, total);
      const start = total % ring.length;
      const bytes = Buffer.concat([ring.subarray(start), ring.subarray(0, start)]);
      return bytes.toString("utf8", firstWholeLine(bytes));
    },
  };
}

/** Where the first complete line begins; in one endless line, where the first complete character does. */
function firstWholeLine(bytes: Buffer): number {
  const end = bytes.indexOf(newline);
  if (end !== -1 && end < bytes.length - 1) return end + 1;
  let start = 0;
  while (start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}
