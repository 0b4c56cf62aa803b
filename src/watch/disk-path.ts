import { isUtf8 } from "node:buffer";
import { byteStringOf, type ByteString } from "./byte-string.ts";

/** Name of an entry of a directory: its text, or a NUL and its bytes where they are no UTF-8. */
export type EntryName = string;

/** A path as system calls take it: bytes only where it cannot be written as text. */
export type DiskPath = string | Buffer;

const bytesFollow = "\0";

export function readEntryName(bytes: Buffer): EntryName {
  return isUtf8(bytes) ? bytes.toString("utf8") : bytesFollow + bytes.toString("latin1");
}

export function joinDiskPath(directory: DiskPath, name: EntryName): DiskPath {
  if (typeof directory === "string" && !name.startsWith(bytesFollow))
    return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
  const bytes = Buffer.from(nameBytes(name), "latin1");
  return Buffer.concat([typeof directory === "string" ? Buffer.from(directory) : directory, Buffer.from("/"), bytes]);
}

export function joinByteString(directory: ByteString, name: EntryName): ByteString {
  return directory === "" ? nameBytes(name) : `${directory}/${nameBytes(name)}`;
}

function nameBytes(name: EntryName): ByteString {
  return name.startsWith(bytesFollow) ? name.slice(1) : byteStringOf(name);
}

/** A path for people; bytes that are no text are shown as `\xff`. */
export function showPath(path: DiskPath): string {
  if (typeof path === "string") return path;
  return path.toString("latin1").replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
