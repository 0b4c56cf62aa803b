/** The part of JSON Schema 2020-12 that the API describes itself with. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly anyOf?: readonly JsonSchema[];
}

export const anyText: JsonSchema = { type: "string" };
export const flag: JsonSchema = { type: "boolean" };
export const count: JsonSchema = { type: "integer", minimum: 0 };
export const anyNumber: JsonSchema = { type: "number" };
/** Wall clock, milliseconds since 1970 UTC. */
export const time: JsonSchema = { type: "number", description: "milliseconds since 1970 UTC" };

export function choice(...values: readonly string[]): JsonSchema {
  return { type: "string", enum: values };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

export function oneOf(...schemas: readonly JsonSchema[]): JsonSchema {
  return { anyOf: schemas };
}

/**
 * An object with exactly the keys of the type: one that is added to the type, or leaves it, is a mistake that the
 * compiler finds here.
 */
export function objectOf<Value extends object>(
  properties: { readonly [Key in keyof Value]-?: JsonSchema },
  { optional = [] }: { optional?: readonly (keyof Value & string)[] } = {},
): JsonSchema {
  const known = properties as Readonly<Record<string, JsonSchema>>;
  const required = Object.keys(known).filter((key) => !(optional as readonly string[]).includes(key));
  return { type: "object", properties: known, required, additionalProperties: false };
}
