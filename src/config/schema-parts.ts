import Type, { type TSchema } from "typebox";
import { type KindName, kinds } from "./kinds.ts";

/** What every key says about itself; it becomes the manual and the editor's help. */
export interface About<Value> {
  description: string;
  examples?: readonly Value[];
  default?: Value;
}

/** A text of a known kind. */
export function text(kind: KindName, about: About<string>) {
  return Type.Unsafe<string>({ type: "string", "x-kind": kind, pattern: kinds[kind].pattern, ...about });
}

/** One text or a list of them. */
export function textOrList(kind: KindName, about: About<string | string[]>) {
  return Type.Unsafe<string | string[]>({
    type: ["string", "array"],
    "x-kind": kind,
    pattern: kinds[kind].pattern,
    minItems: 1,
    items: { type: "string", "x-kind": kind, pattern: kinds[kind].pattern },
    ...about,
  });
}

export function textList(kind: KindName, about: About<string[]>) {
  return Type.Unsafe<string[]>({
    type: "array",
    items: { type: "string", "x-kind": kind, pattern: kinds[kind].pattern },
    ...about,
  });
}

/** A number or a text whose pattern covers the same values (durations, ports, rates). */
function numberOrText(kind: KindName, range: object, about: About<number | string>) {
  return Type.Unsafe<number | string>({ "x-kind": kind, pattern: kinds[kind].pattern, ...range, ...about });
}

const longestSeconds = 9_999_999_999;

export function duration(about: About<number | string>) {
  return numberOrText("duration", { type: ["number", "string"], minimum: 0, maximum: longestSeconds }, about);
}

export function positiveDuration(about: About<number | string>) {
  const range = { type: ["number", "string"], exclusiveMinimum: 0, maximum: longestSeconds };
  return numberOrText("positive-duration", range, about);
}

/** As `positiveDuration`, but a bare number counts days. */
export function days(about: About<number | string>) {
  return numberOrText("days", { type: ["number", "string"], exclusiveMinimum: 0, maximum: 100_000 }, about);
}

export function port(about: About<number | string>) {
  return numberOrText("port", { type: ["integer", "string"], minimum: 1, maximum: 65535 }, about);
}

/** As `port`; 0 lets the kernel choose. */
export function listenPort(about: About<number | string>) {
  return numberOrText("listen-port", { type: ["integer", "string"], minimum: 0, maximum: 65535 }, about);
}

export function bandwidth(about: About<number | string>) {
  return numberOrText("bandwidth", { type: ["integer", "string"], minimum: 0 }, about);
}

export function flag(about: About<boolean>) {
  return Type.Boolean({ ...about });
}

export function integer(minimum: number, maximum: number, about: About<number>) {
  return Type.Integer({ minimum, maximum, ...about });
}

export function choice<const Values extends readonly string[]>(values: Values, about: About<Values[number]>) {
  return Type.Unsafe<Values[number]>({ type: "string", enum: [...values], ...about });
}

/** An object that knows all its keys: any other key is an error. */
export function block<Properties extends Record<string, TSchema>>(
  title: string,
  description: string,
  properties: Properties,
) {
  return Type.Object(properties, { title, description, additionalProperties: false });
}

/** One of several objects, told apart by the key `tag`. */
export function oneOfBlocks<Value>(tag: string, title: string, description: string, branches: readonly TSchema[]) {
  return Type.Unsafe<Value>({
    title,
    description,
    type: "object",
    discriminator: { propertyName: tag },
    required: [tag],
    oneOf: [...branches],
  });
}
