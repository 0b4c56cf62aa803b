import { Emitter } from "../../src/base/emitter.ts";
import type { DirectorEvents } from "../../src/model/events.ts";

type Name = keyof DirectorEvents;

export interface RecordedEvent {
  readonly name: Name;
  readonly payload: DirectorEvents[Name];
}

/** An emitter that remembers what was emitted and lets a test await an event instead of sleeping. */
export class EventLog extends Emitter<DirectorEvents> {
  readonly events: RecordedEvent[] = [];

  constructor() {
    super((error, event) => {
      throw new Error(`a listener of ${event} threw`, { cause: error });
    });
    this.onAny((name, payload) => this.events.push({ name, payload }));
  }

  names(): Name[] {
    return this.events.map((event) => event.name);
  }

  of<N extends Name>(name: N): DirectorEvents[N][] {
    return this.events.filter((event) => event.name === name).map((event) => event.payload as DirectorEvents[N]);
  }

  /** Resolves with the next event of that name, or the first that matches. */
  next<N extends Name>(
    name: N,
    matches: (payload: DirectorEvents[N]) => boolean = () => true,
  ): Promise<DirectorEvents[N]> {
    return new Promise((resolve) => {
      const stop = this.on(name, (payload) => {
        if (!matches(payload)) return;
        stop();
        resolve(payload);
      });
    });
  }
}
