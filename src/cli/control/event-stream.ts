/** One server-sent event. */
export interface ServerSentEvent {
  readonly name: string;
  readonly data: string;
}

/**
 * Reads `text/event-stream` (WHATWG HTML, section 9.2.6) as it arrives. An event that the end of the stream cuts
 * off is none, and comments are not handed on.
 */
export async function* readEventStream(chunks: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, undefined> {
  let name = "";
  let data: string[] = [];
  for await (const line of linesOf(chunks)) {
    if (line === "") {
      if (data.length > 0) yield { name: name === "" ? "message" : name, data: data.join("\n") };
      name = "";
      data = [];
      continue;
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
}

/** Whole lines, without their ends: LF, CR LF or CR. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const chunk of chunks) {
    rest += chunk;
    // A CR at the very end may be half of a CR LF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}
