import { StringDecoder } from "node:string_decoder";

/**
 * A line of output without its end. `overwrites`: it followed a carriage return, so a terminal would
 * show it in place of the piece before (rsync's progress does this).
 */
export type OnLine = (line: string, overwrites: boolean) => void;

/** A longer line is handed on in pieces, so that a stream without line ends takes no memory. */
export const longestLine = 64 * 1024;

/**
 * Cuts a byte stream into lines at `\n` and `\r`. Bytes that are not UTF-8 become U+FFFD. `\r\n` is one
 * line end, and a lone `\r` ends no empty line.
 */
export function createLineSplitter(onLine: OnLine): { push(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder("utf8");
  let pending = "";
  let overwrites = false;

  const finish = (end: "\n" | "\r" | "") => {
    if (pending !== "" || (end === "\n" && !overwrites)) onLine(pending, overwrites);
    pending = "";
    overwrites = end === "\r";
  };
  const add = (text: string) => {
    pending += text;
    while (pending.length > longestLine) {
      const cut = endsInHalfCharacter(pending, longestLine) ? longestLine - 1 : longestLine;
      onLine(pending.slice(0, cut), overwrites);
      pending = pending.slice(cut);
    }
  };
  const addSegment = (segment: string) => {
    if (!segment.includes("\r")) return add(segment);
    const [first = "", ...others] = segment.split("\r");
    add(first);
    for (const piece of others) {
      finish("\r");
      add(piece);
    }
  };
  const pushText = (text: string) => {
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      addSegment(text.slice(start, end));
      finish("\n");
      start = end + 1;
    }
    addSegment(text.slice(start));
  };
  return {
    push: (chunk) => pushText(decoder.write(chunk)),
    end: () => {
      pushText(decoder.end());
      finish("");
    },
  };
}

function endsInHalfCharacter(text: string, end: number): boolean {
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code <= 0xdbff;
}
