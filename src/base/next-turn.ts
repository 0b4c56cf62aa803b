/**
 * Resolves when every event that had come when it was called has been handed on. Called by one of these events, it may take a
 * second turn: what came together is handed on in the turn after.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
