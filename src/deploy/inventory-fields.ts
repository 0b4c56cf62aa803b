import { OperatorError } from "../base/errors.ts";

/** A mapping of the inventory, with where it stands, for messages. */
export interface Fields {
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Reads a mapping that has no other keys than these. Throws an OperatorError for anything else. */
export function fieldsOf(value: unknown, where: string, known: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, "has to be a mapping");
  const values = value as Record<string, unknown>;
  const stray = Object.keys(values).find((key) => !known.includes(key));
  if (stray !== undefined) throw wrong(where, `${stray} is not a known key. Known here: ${known.join(", ")}`);
  return { where, values };
}

/** The entries of a mapping whose keys are names. */
export function namedEntries(value: unknown, where: string): [name: string, value: unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object" || Array.isArray(value)) throw wrong(where, "has to be a mapping of names");
  const entries = Object.entries(value);
  const bad = entries.find(([name]) => !/^[A-Za-z0-9_.-]{1,64}$/.test(name));
  if (bad !== undefined) throw wrong(where, `${JSON.stringify(bad[0])} is no name`);
  return entries;
}

export function listOf<Item>(
  { where, values }: Fields,
  key: string,
  read: (value: unknown, where: string) => Item,
): Item[] {
  const value = values[key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(`${where}.${key}`, "has to be a list");
  return value.map((item: unknown, index) => read(item, `${where}.${key}[${index}]`));
}

/** A text of one line that fits the pattern; undefined where it is not given. */
export function textOf({ where, values }: Fields, key: string, pattern: RegExp = /^[^\p{Cc}]+$/u): string | undefined {
  return values[key] === undefined ? undefined : asText(values[key], `${where}.${key}`, pattern);
}

export function asText(value: unknown, where: string, pattern: RegExp = /^[^\p{Cc}]+$/u): string {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text === "string" && pattern.test(text)) return text;
  throw wrong(where, `${JSON.stringify(value)} cannot be used here`);
}

export function flagOf({ where, values }: Fields, key: string): boolean {
  const value = values[key] ?? false;
  if (typeof value === "boolean") return value;
  throw wrong(`${where}.${key}`, "has to be true or false");
}

export function wrong(where: string, message: string): OperatorError {
  return new OperatorError(`${where}: ${message}`, { kind: "usage" });
}

/** Accounts and groups, as useradd(8) takes them. */
export const accountName = /^[a-z_][a-z0-9_-]{0,31}$/;
/** What every shell reads as one plain word; without `..`. */
export const plainPath = /^(?!.*(?:^|\/)\.\.(?:\/|$))\/[A-Za-z0-9._/+@%=:,-]*$/;
export const fileMode = /^0?[0-7]{3}$/;
