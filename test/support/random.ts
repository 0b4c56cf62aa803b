/** A seed to print, so that a run can be repeated: RANDOM_SEED, else a new one. */
export function newSeed(): number {
  return Number(process.env["RANDOM_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
}

/** Numbers in [0, 1), always the same for one seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
