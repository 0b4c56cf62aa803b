/**
 * A path with one character (0 to 255) per byte of its name on disk. rsync compares bytes: its `?` takes one byte,
 * so that two of them are needed for an ä.
 */
export type ByteString = string;

/** The bytes of a text in UTF-8. */
export function byteStringOf(text: string): ByteString {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
