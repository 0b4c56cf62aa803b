import { Ajv, type SchemaObject } from "ajv";
import { describe, expect, test } from "vitest";
import { generateConfigFiles } from "../../../scripts/generate-config-docs.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { readProjectFile } from "../../support/project-files.ts";

describe("the generated files", () => {
  test("are current (npm run generate writes them)", async () => {
    const files = await generateConfigFiles();
    expect([...files.keys()]).toEqual([
      "resources/config.schema.json",
      "src/config/generated/validate-config.ts",
      "docs/configuration.md",
    ]);
    for (const [path, content] of files) expect(readProjectFile(path) === content, `${path} is not current`).toBe(true);
  });
});

interface Property extends SchemaObject {
  description?: string;
  examples?: unknown[];
}

/** Every key of every block, with its path. */
function propertiesOf(schema: SchemaObject, path = ""): [path: string, property: Property][] {
  const own = Object.entries((schema["properties"] ?? {}) as Record<string, Property>).flatMap(
    ([key, property]): [string, Property][] => [
      [`${path}.${key}`, property],
      ...propertiesOf(property, `${path}.${key}`),
    ],
  );
  const children = [schema["items"], ...((schema["oneOf"] ?? []) as SchemaObject[])].filter(
    (child) => typeof child === "object",
  );
  return [...own, ...children.flatMap((child) => propertiesOf(child as SchemaObject, path))];
}

describe("the schema", () => {
  const properties = propertiesOf(JSON.parse(JSON.stringify(configSchema)) as SchemaObject);

  test("describes every key", () => {
    expect(properties.length).toBeGreaterThan(150);
    expect(properties.filter(([, { description }]) => description === undefined).map(([path]) => path)).toEqual([]);
  });

  test("has a table in docs/configuration.md for every block, with all its keys", () => {
    const rows = readProjectFile("docs/configuration.md").split(/\n(?!\|)/);
    const tables = rows.map((text) => new Set([...text.matchAll(/^\| `(\w+)` /gm)].map(([, key = ""]) => key)));
    const blocks = properties.flatMap(([path, { properties: keys, items }]): [string, string[]][] => {
      const own = (keys ?? (items as Property | undefined)?.["properties"]) as object | undefined;
      // What a job has of these its own table says.
      return own === undefined || path.startsWith(".defaults") ? [] : [[path, Object.keys(own)]];
    });
    expect(blocks.length).toBeGreaterThan(12);
    const lacking = blocks.filter(([, keys]) => !tables.some((table) => keys.every((key) => table.has(key))));
    expect(lacking.map(([path]) => path)).toEqual([]);
  });

  test("has only examples and defaults that it accepts", () => {
    const ajv = new Ajv({ discriminator: true, allowUnionTypes: true, strictTypes: false });
    ajv.addKeyword("x-kind");
    const wrong = properties.flatMap(([path, property]) => {
      const values = [...(property.examples ?? []), ...(property.default === undefined ? [] : [property.default])];
      const validate = ajv.compile(property);
      return values.filter((value) => !validate(value)).map((value) => `${path}: ${JSON.stringify(value)}`);
    });
    expect(wrong).toEqual([]);
  });

  test("is published as plain JSON schema that ajv reads in strict mode", () => {
    const published = JSON.parse(readProjectFile("resources/config.schema.json")) as SchemaObject;
    expect(published.$id).toBe("urn:rsyncdirector:configuration");
    const validate = new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(published);
    expect(validate({ rsync_id: "x", jobs: [{ id: "a", type: "local", syncs: [{ source: "/a", dest: "/b" }] }] })).toBe(
      true,
    );
    expect(validate({ rsync_id: "x", jobs: [{ id: "a", type: "local", actions: [{ action: "sync" }] }] })).toBe(false);
  });
});
