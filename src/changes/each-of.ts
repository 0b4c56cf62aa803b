/** Does the work for every item, so many at a time. The first failure ends it, after what has begun. */
export async function eachOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (failure === undefined) {
      const next = await iterator.next();
      if (next.done === true) return;
      await work(next.value);
    }
  };
  const guarded = () => worker().catch((error: unknown) => void (failure ??= { error }));
  await Promise.all(Array.from({ length: width }, guarded));
  await iterator.return?.();
  if (failure !== undefined) throw failure.error;
}
