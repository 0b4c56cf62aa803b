/** What a query says, which anybody may write: twice the same key makes a list, and nothing has to be there. */
export function queryText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 1000) : "";
}

/** A whole number from 0 on, of at most 15 digits; undefined for anything else. */
export function queryNumber(value: unknown): number | undefined {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
