import { close, constants, fstat, open, stat, write } from "node:fs";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { writeFileAtomically } from "./atomic-file.ts";

/**
 * A small file that is replaced often, by somebody who has to wait until it is on the disk. It has two slots of one
 * line each. A new content goes over the older one: no byte of the file system's own changes, so that one wait for
 * the disk is all it costs, and a full disk does not matter. A crash in the middle leaves the other slot.
 */
export interface SlottedFile {
  /**
   * Resolves when the content, JSON in one line, is on the disk. Throws the system error; what was there is still there.
   * One at a time.
   */
  write(content: string): Promise<void>;
  /** Lets go of the file; it can be written all the same. */
  close(): Promise<void>;
}

interface Layout {
  readonly descriptor: number;
  readonly inode: number;
  readonly slotSize: number;
  nextSlot: 0 | 1;
}

const system = {
  close: promisify(close),
  fstat: promisify(fstat),
  open: promisify(open),
  stat: promisify(stat),
  write: promisify(write),
};

/** Slots begin where blocks do: no disk writes a part of both at a time. */
const blockSize = 4096;

export function createSlottedFile(path: string, options: { mode: number }): SlottedFile {
  let layout: Layout | undefined;
  let serial = 0;

  const letGo = async () => {
    const { descriptor } = layout ?? {};
    layout = undefined;
    if (descriptor !== undefined) await system.close(descriptor);
  };
  /** The file as a whole, in place of whatever is there, with room to grow. */
  const lay = async (line: string) => {
    await letGo();
    const slotSize = Math.ceil((2 * Buffer.byteLength(line)) / blockSize) * blockSize;
    await writeFileAtomically(path, `${fill(line, slotSize)}${fill("", slotSize)}`, options);
    const descriptor = await system.open(path, constants.O_WRONLY | constants.O_DSYNC | constants.O_NOFOLLOW);
    layout = { descriptor, inode: (await system.fstat(descriptor)).ino, slotSize, nextSlot: 1 };
  };
  /** False: this is not the file that the path leads to any more, or it took only a part. */
  const overwrite = async (line: string, { descriptor, inode, slotSize, nextSlot }: Layout) => {
    const slot = Buffer.from(fill(line, slotSize));
    const [{ bytesWritten }, found] = await Promise.all([
      system.write(descriptor, slot, 0, slotSize, nextSlot * slotSize),
      system.stat(path).catch(() => undefined),
    ]);
    return found?.ino === inode && bytesWritten === slotSize;
  };
  return {
    write: async (content) => {
      serial += 1;
      const line = formatSlot(serial, content);
      const current = layout;
      if (current === undefined || Buffer.byteLength(line) >= current.slotSize) return lay(line);
      if (!(await overwrite(line, current))) return lay(line);
      current.nextSlot = current.nextSlot === 0 ? 1 : 0;
    },
    close: letGo,
  };
}

/** The newest content in the text of such a file that is whole; undefined: there is none. */
export function readSlots(text: string): string | undefined {
  let newest: { serial: number; content: string } | undefined;
  for (const line of text.split("\n")) {
    const match = slotPattern.exec(line);
    if (match === null) continue;
    const [, sum, rest = "", digits, content = ""] = match;
    const serial = Number(digits);
    if (sum === checksum(rest) && serial > (newest?.serial ?? 0)) newest = { serial, content };
  }
  return newest?.content;
}

const slotPattern = /^\{"sum":"([0-9a-f]{8})",("serial":(\d+),"content":(.*))\} *$/s;

function formatSlot(serial: number, content: string): string {
  const rest = `"serial":${serial},"content":${content}`;
  return `{"sum":"${checksum(rest)}",${rest}}`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** A line of so many bytes. */
function fill(line: string, size: number): string {
  return `${line}${" ".repeat(size - 1 - Buffer.byteLength(line))}\n`;
}
