import { coerceError } from "./errors.ts";

type Listener<Payload> = (payload: Payload) => void;
type AnyListener<Events> = <Name extends keyof Events>(name: Name, payload: Events[Name]) => void;

/**
 * The seam between the work and those who watch it. Listeners are called at once and in order; one
 * that throws is reported to `onListenerError` and hurts neither the work nor the other listeners.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  readonly #anyListeners = new Set<AnyListener<Events>>();
  readonly #onListenerError: (error: Error, event: string) => void;

  constructor(onListenerError: (error: Error, event: string) => void) {
    this.#onListenerError = onListenerError;
  }

  /** Calls `listener` for every event of that name; the returned function ends that. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Calls `listener` for every event; the returned function ends that. */
  onAny(listener: AnyListener<Events>): () => void {
    this.#anyListeners.add(listener);
    return () => void this.#anyListeners.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    const listeners = (this.#listeners.get(name) ?? []) as Iterable<Listener<Events[Name]>>;
    for (const listener of listeners) this.#guard(name, () => listener(payload));
    for (const listener of this.#anyListeners) this.#guard(name, () => listener(name, payload));
  }

  #guard(name: keyof Events, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#onListenerError(coerceError(error), String(name));
    }
  }
}
