import { describe, expect, it } from "vitest";
import { Emitter } from "../../../src/base/emitter.ts";

interface Events {
  tick: number;
  text: string;
}

describe("emitter", () => {
  it("calls the listeners of an event, and those of all events, until they are removed", () => {
    const seen: unknown[] = [];
    const emitter = new Emitter<Events>(() => undefined);
    const stop = emitter.on("tick", (value) => seen.push(value));
    const stopAny = emitter.onAny((name, payload) => seen.push([name, payload]));
    emitter.emit("tick", 1);
    emitter.emit("text", "x");
    stop();
    stopAny();
    emitter.emit("tick", 2);
    expect(seen).toEqual([1, ["tick", 1], ["text", "x"]]);
  });

  it("reports a listener that throws and still calls the others", () => {
    const seen: number[] = [];
    const reported: string[] = [];
    const emitter = new Emitter<Events>((error, event) => reported.push(`${event}: ${error.message}`));
    emitter.on("tick", () => {
      throw new Error("broken");
    });
    emitter.on("tick", (value) => seen.push(value));
    emitter.emit("tick", 7);
    expect(seen).toEqual([7]);
    expect(reported).toEqual(["tick: broken"]);
  });
});
