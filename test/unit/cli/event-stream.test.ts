import fc from "fast-check";
import { expect, it } from "vitest";
import { readEventStream, type ServerSentEvent } from "../../../src/cli/control/event-stream.ts";

async function read(...chunks: string[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const event of readEventStream(source())) events.push(event);
  return events;
}

it("reads names and data, joins lines of data, and passes comments over", async () => {
  const text = ": hello\n\nevent: status\ndata: one\ndata: two\n\ndata:three\n\nevent: nothing\n\n";
  expect(await read(text)).toEqual([
    { name: "status", data: "one\ntwo" },
    { name: "message", data: "three" },
  ]);
});

it("knows all three ends of a line, and does not hand on an event that was cut off", async () => {
  expect(await read("event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\revent: c\ndata: 3\n")).toEqual([
    { name: "a", data: "1" },
    { name: "b", data: "2" },
  ]);
});

it("reads the same however the text is cut", async () => {
  const text = 'event: a\r\ndata: {"x": 1}\r\n\r\n: beat\r\n\r\nevent: b\ndata: ü\ndata:\n\n';
  const whole = await read(text);
  expect(whole).toHaveLength(2);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const chunks = places.slice(1).map((end, index) => text.slice(places[index], end));
      expect(await read(...chunks)).toEqual(whole);
    }),
  );
});
