import { schema as generatedSchema, validate as generatedValidate } from "./generated/validate-config.ts";
import { explainMismatch, isKindName, kinds } from "./kinds.ts";
import type { ProblemLog } from "./problem-log.ts";
import { type KeyPath, showValue } from "./problem.ts";
import { suggest } from "./spelling.ts";
import { isRecord } from "./tree.ts";

/** The part of ajv's error object that the messages are made of. */
interface SchemaError {
  keyword: string;
  /** JSON pointer into the configuration. */
  instancePath: string;
  params: Record<string, unknown>;
}

/** The keywords that the generated schema uses. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  "x-kind"?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  oneOf?: Schema[];
  discriminator?: { propertyName: string };
  definitions?: Record<string, Schema>;
}

const rootSchema = generatedSchema as Schema;
const validate = generatedValidate as { (value: unknown): boolean; errors: SchemaError[] | null };

/** Checks a tree against the schema and logs what is wrong, each problem at the key that it is about. */
export function validateTree(root: unknown, log: ProblemLog): void {
  if (validate(root)) return;
  for (const error of validate.errors ?? []) {
    const path = pathOf(root, error.instancePath);
    const about = subjectOf(error, path);
    const message = describe(error, { path, value: valueAt(root, path), schema: schemaAt(root, path) });
    if (message !== undefined)
      log.error(about, message, { at: error.keyword === "additionalProperties" ? "key" : "value" });
  }
}

/** The keys that the schema does not know. */
export function findUnknownKeys(root: unknown): KeyPath[] {
  if (validate(root)) return [];
  const errors = (validate.errors ?? []).filter((error) => error.keyword === "additionalProperties");
  return errors.map((error) => subjectOf(error, pathOf(root, error.instancePath)));
}

/** The keys of the whole file, in the order in which the manual has them. */
export const topLevelKeys: readonly string[] = Object.keys(rootSchema.properties ?? {});

/** The key an error is about: for a missing or unknown one, that key and not the block around it. */
function subjectOf(error: SchemaError, path: KeyPath): KeyPath {
  const { missingProperty, additionalProperty, propertyName, tag } = error.params;
  const key = missingProperty ?? additionalProperty ?? propertyName ?? tag;
  return typeof key === "string" ? [...path, key] : path;
}

function describe(error: SchemaError, about: { path: KeyPath; value: unknown; schema: Schema }): string | undefined {
  const { params } = error;
  const { value, schema } = about;
  switch (error.keyword) {
    case "required":
      // A missing tag is told by the keyword discriminator.
      if (schema.discriminator?.propertyName === params["missingProperty"]) return undefined;
      return `is missing: ${expectation(resolve(schema.properties?.[String(params["missingProperty"])]))}`;
    case "additionalProperties":
      return unknownKey(String(params["additionalProperty"]), schema);
    case "propertyNames":
      return "is not the name of an option: letters and digits only";
    case "discriminator": {
      const tag = String(params["tag"]);
      return mismatch({ enum: tagValues(schema, tag) }, isRecord(value) ? value[tag] : undefined);
    }
    case "minItems":
      return "must have at least one element";
    case "pattern":
      // A pattern of property names: the keyword propertyNames tells it.
      return typeof value === "object" ? undefined : mismatch(schema, value);
    default:
      return mismatch(schema, value);
  }
}

function unknownKey(key: string, schema: Schema): string {
  const known = Object.keys(schema.properties ?? {});
  const meant = suggest(key, known);
  if (meant !== undefined) return `is not a known key. Did you mean ${meant}?`;
  return known.length <= 12 ? `is not a known key. Known here: ${known.join(", ")}` : "is not a known key";
}

function mismatch(schema: Schema, value: unknown): string {
  const name = schema["x-kind"];
  const why = isKindName(name) ? explainMismatch(name, value) : undefined;
  const texts = (schema.enum ?? []).filter((item) => typeof item === "string");
  const meant = typeof value === "string" ? suggest(value, texts) : undefined;
  const parts = [`must be ${expectation(schema)}; got ${showValue(value)}`];
  if (value === null) parts.push("give a value or remove the key");
  else if (why !== undefined) parts.push(why);
  else if (needsQuotes(schema, value)) parts.push(`quote it: "${JSON.stringify(value)}"`);
  const text = parts.join(": ");
  return meant === undefined ? text : `${text}. Did you mean ${meant}?`;
}

/** A number or truth value where only a text will do. */
function needsQuotes(schema: Schema, value: unknown): boolean {
  const types = [schema.type].flat();
  return (
    types.includes("string") &&
    (typeof value === "number" || typeof value === "boolean") &&
    !types.includes("number") &&
    !types.includes("integer")
  );
}

/** Completes "must be …". */
function expectation(schema: Schema): string {
  const name = schema["x-kind"];
  const types = [schema.type].flat();
  if (isKindName(name)) {
    const { expected } = kinds[name];
    return types.includes("array")
      ? types.includes("string")
        ? `${expected}, or a list of them`
        : "a list"
      : expected;
  }
  if (schema.enum !== undefined)
    return schema.enum.length === 1 ? String(schema.enum[0]) : `one of ${schema.enum.join(", ")}`;
  if (schema.const !== undefined) return String(schema.const as string);
  const range = rangeOf(schema);
  const names = types.map(
    (type) => `${typeNames[String(type)] ?? "a value"}${type === "integer" || type === "number" ? range : ""}`,
  );
  return names.join(" or ");
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list (lines that begin with -)",
  object: "a block of keys",
};

function rangeOf(schema: Schema): string {
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return ` from ${schema.minimum} to ${schema.maximum}`;
  return schema.minimum === undefined ? "" : ` of at least ${schema.minimum}`;
}

function tagValues(schema: Schema, tag: string): unknown[] {
  return (schema.oneOf ?? []).map((branch) => resolve(resolve(branch).properties?.[tag]).const);
}

/** Walks the schema beside the value, choosing the branch that the value's tag names. */
function schemaAt(root: unknown, path: KeyPath): Schema {
  let schema = rootSchema;
  let value = root;
  for (const part of path) {
    const branch = branchFor(schema, value);
    const additional = typeof branch.additionalProperties === "object" ? branch.additionalProperties : undefined;
    schema = resolve(typeof part === "number" ? branch.items : (branch.properties?.[part] ?? additional));
    value = childOf(value, part);
  }
  return branchFor(schema, value);
}

function branchFor(schema: Schema, value: unknown): Schema {
  const tag = schema.discriminator?.propertyName;
  if (tag === undefined || !isRecord(value)) return schema;
  const branch = schema.oneOf?.find((each) => resolve(resolve(each).properties?.[tag]).const === value[tag]);
  return branch === undefined ? schema : resolve(branch);
}

function resolve(schema: Schema | undefined): Schema {
  const name = schema?.$ref?.split("/").at(-1);
  return (name === undefined ? schema : rootSchema.definitions?.[name]) ?? {};
}

/** A JSON pointer as a path; which parts are list indexes only the value can tell. */
function pathOf(root: unknown, pointer: string): KeyPath {
  let value = root;
  return pointer
    .split("/")
    .slice(1)
    .map((escaped) => {
      const part = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
      const key = Array.isArray(value) ? Number(part) : part;
      value = childOf(value, key);
      return key;
    });
}

function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(childOf, root);
}

function childOf(value: unknown, part: string | number): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, part)?.value as unknown;
}
