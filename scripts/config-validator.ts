import { Ajv, type SchemaObject } from "ajv";
import standaloneModule from "ajv/dist/standalone/index.js";
import { configSchema } from "../src/config/schema.ts";

/** Keywords for our own messages and for ajv; other readers of the schema do not know them. */
const privateKeywords = new Set(["x-kind", "discriminator"]);

/** Keywords that explain and do not check. */
const annotations = new Set(["title", "description", "examples", "default", "deprecated"]);

/** The schema for editors (`yaml-language-server`), as a JSON file. */
export function editorSchema(): string {
  const published = without(plainSchema(), privateKeywords);
  return `${JSON.stringify({ $schema: "http://json-schema.org/draft-07/schema#", ...published }, null, 2)}\n`;
}

/**
 * The validator as a module without imports. Loading ajv and compiling the schema would cost each
 * start 40 ms; this costs a tenth of it, because schemas that occur several times share one function.
 */
export function validatorSource(): string {
  const ajv = new Ajv({
    allErrors: true,
    messages: false,
    discriminator: true,
    allowUnionTypes: true,
    strictTypes: false,
    inlineRefs: false,
    code: { source: true, esm: true, optimize: 2 },
  });
  ajv.addKeyword("x-kind");
  const schema = shareRepeated(without(plainSchema(), annotations));
  const code = standaloneModule
    .default(ajv, ajv.compile(schema))
    .replace('"use strict";', "")
    .replace(/export default \w+;/, "");
  if (/\brequire\(/.test(code)) throw new Error("the validator must not need ajv at run time: avoid minLength");
  const header = [
    "// @ts-nocheck",
    "/* oxlint-disable */",
    "// Generated from src/config/schema.ts by `npm run generate`. Do not edit.",
  ];
  return `${header.join("\n")}\nexport const schema: unknown = ${JSON.stringify(schema)};\n${code}\n`;
}

function plainSchema(): SchemaObject {
  return JSON.parse(JSON.stringify(configSchema)) as SchemaObject;
}

/** A copy without some keywords. The names under `properties` are keys of the user, not keywords. */
function without(schema: SchemaObject, keywords: ReadonlySet<string>): SchemaObject {
  const copy: SchemaObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (!keywords.has(keyword)) copy[keyword] = mapSubschemas(keyword, value, (child) => without(child, keywords));
  }
  return copy;
}

/** Moves every subschema that occurs more than once into `definitions`. */
function shareRepeated(root: SchemaObject): SchemaObject {
  const counts = new Map<string, number>();
  const count = (schema: SchemaObject): SchemaObject => {
    const text = JSON.stringify(schema);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    for (const [keyword, value] of Object.entries(schema)) mapSubschemas(keyword, value, count);
    return schema;
  };
  count(root);
  const names = new Map([...counts].filter(([, times]) => times > 1).map(([text], index) => [text, `s${index}`]));
  const definitions: Record<string, SchemaObject> = {};
  const share = (schema: SchemaObject): SchemaObject => {
    const name = names.get(JSON.stringify(schema));
    // ajv looks for the value of a tag in the branch itself, too.
    if (name === undefined || Object.hasOwn(schema, "const")) return shareChildren(schema);
    definitions[name] ??= shareChildren(schema);
    return { $ref: `#/definitions/${name}` };
  };
  const shareChildren = (schema: SchemaObject): SchemaObject =>
    Object.fromEntries(
      Object.entries(schema).map(([keyword, value]) => {
        // ajv looks for the tag of a discriminated union in the branches themselves.
        const branches = keyword === "oneOf";
        return [keyword, mapSubschemas(keyword, value, branches ? shareChildren : share)];
      }),
    );
  return { ...shareChildren(root), definitions };
}

function mapSubschemas(keyword: string, value: unknown, map: (schema: SchemaObject) => SchemaObject): unknown {
  const isSchema = (item: unknown): item is SchemaObject => typeof item === "object" && item !== null;
  if (keyword === "properties") {
    return Object.fromEntries(
      Object.entries(value as SchemaObject).map(([key, child]) => [key, map(child as SchemaObject)]),
    );
  }
  if (keyword === "oneOf") return (value as SchemaObject[]).map(map);
  if (["items", "additionalProperties", "propertyNames"].includes(keyword) && isSchema(value)) return map(value);
  return value;
}
