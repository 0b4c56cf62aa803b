/** One line is all there is room for; more names than this would hide the rest of it. */
const mostNames = 3;

export function listSome(names: readonly string[]): string {
  const more = names.length - mostNames;
  const some = names.slice(0, mostNames).join(", ");
  return more > 0 ? `${some} and ${more} more` : some;
}
