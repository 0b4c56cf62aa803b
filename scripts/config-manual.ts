import { format, resolveConfig } from "prettier";
import { configSchema } from "../src/config/schema.ts";
import { sections } from "./config-manual-sections.ts";
import { closing, introduction, optsText } from "./config-manual-text.ts";

interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  description?: string;
  default?: unknown;
  examples?: unknown[];
  deprecated?: boolean;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  oneOf?: Schema[];
  title?: string;
  minimum?: number;
  maximum?: number;
  "x-kind"?: string;
}

const kindNames: Readonly<Record<string, string>> = {
  duration: "duration",
  "positive-duration": "duration",
  days: "days",
  port: "port",
  "listen-port": "port",
  id: "name",
  host: "host",
  user: "text",
  "listen-address": "address",
  cron: "cron expression",
  "file-path": "path",
  "lock-path": "path",
  operand: "path",
  bandwidth: "rate",
  url: "URL",
  "notice-event": "event",
  "ping-event": "event",
  "hook-moment": "moment",
};

/** Blocks of a job that have the keys of the block of that name at the top. */
const ofJobs: ReadonlySet<string> = new Set(["ssh", "lock"]);

/** docs/configuration.md: every key of the schema that this version knows, with the texts around it. */
export async function describeConfiguration(): Promise<string> {
  const parts = [introduction];
  for (const [path, { title, text, example }] of Object.entries(sections)) {
    const depth = path.includes(".") ? "###" : "##";
    parts.push(`${depth} ${title}`, text);
    parts.push(...tablesOf(path));
    if (path === "jobs.actions") parts.push(optsText.replaceAll("### ", "#### "));
    if (example !== undefined) parts.push(`\`\`\`yaml\n${example}\n\`\`\``);
  }
  parts.push(closing);
  const options = await resolveConfig(new URL("../docs/configuration.md", import.meta.url));
  return format(parts.filter((part) => part !== "").join("\n\n"), { ...options, parser: "markdown" });
}

function tablesOf(path: string): string[] {
  // The table of defaults would be that of the jobs once more.
  if (path === "defaults") return [];
  const schema = schemaAt(path.split(".").filter(Boolean));
  if (schema.oneOf === undefined) return [table(schema, path)];
  return schema.oneOf.map(
    (branch) => `**${branch.title ?? ""}**: ${branch.description ?? ""}\n\n${table(branch, path)}`,
  );
}

function schemaAt(path: readonly string[]): Schema {
  let schema = configSchema as Schema;
  for (const part of path) {
    const owners = schema.oneOf ?? [schema];
    schema = owners.map((owner) => owner.properties?.[part]).find((found) => found !== undefined) ?? {};
    if (schema.items?.properties !== undefined || schema.items?.oneOf !== undefined) schema = schema.items;
  }
  return schema;
}

function table(schema: Schema, path: string): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const required = schema.required?.includes(key) === true;
    const missing = required ? "**required**" : property.default === undefined ? "" : code(property.default);
    return [`\`${key}\``, typeName(property, key, path), missing, describe(property)];
  });
  const lines = [["Key", "Type", "Default", "Meaning"], ["---", "---", "---", "---"], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

function describe(property: Schema): string {
  const examples = (property.examples ?? []).map(code).join(" or ");
  const deprecated = property.deprecated === true ? " Deprecated." : "";
  return `${property.description ?? ""}${deprecated}${examples === "" ? "" : ` Example: ${examples}`}`;
}

function typeName(property: Schema, key: string, path: string): string {
  const section = sections[path === "" ? key : `${path}.${key}`] ?? (ofJobs.has(key) ? sections[key] : undefined);
  const types = [property.type].flat();
  if (section !== undefined) {
    const list = types.includes("array") ? "list of " : "";
    const plain = ["integer", "boolean"]
      .filter((type) => types.includes(type))
      .map((type) => `${simpleName({ type })} or `);
    return `${plain.join("")}${list}[${section.title}](#${section.title.replaceAll(" ", "-")})`;
  }
  if (property.const !== undefined) return code(property.const);
  if (property.enum !== undefined) return property.enum.map(code).join(", ");
  const kind = property["x-kind"] === undefined ? undefined : (kindNames[property["x-kind"]] ?? "text");
  const names = types.map((type) => {
    if (type === "array") return `list of ${pluralOf(kind ?? simpleName(property.items ?? {}))}`;
    return kind ?? simpleName({ ...property, type: String(type) });
  });
  return [...new Set(names)].join(" or ");
}

function simpleName(schema: Schema): string {
  const kind = schema["x-kind"];
  if (kind !== undefined) return kindNames[kind] ?? "text";
  if (schema.type === "boolean") return "`true` or `false`";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "object") return "block";
  return "text";
}

function pluralOf(name: string): string {
  return name.endsWith("s") ? name : `${name}s`;
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
