import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseSync } from "vite";

/** One import of a module: `import`, `export … from`, `import()` and `import("…")` as a type alike. */
export interface ModuleImport {
  /** As written; null when it is computed and nobody can say what it is. */
  readonly specifier: string | null;
  /** It leaves no trace in the JavaScript that runs. */
  readonly typeOnly: boolean;
}

export interface SourceModule {
  /** Relative to the source folder, e.g. `run/run-queue.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly ModuleImport[];
  readonly hasDefaultExport: boolean;
}

/** Reads every .ts file below `root`. */
export function readSourceModules(root: string): SourceModule[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => parseModule(relative(root, file), readFileSync(file, "utf8")));
}

/** What the rules need to know of a file. Throws when it is not TypeScript. */
export function parseModule(path: string, text: string): SourceModule {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const exported = module.staticExports.flatMap((statement) => statement.entries);
  const imports: ModuleImport[] = [];
  for (const { moduleRequest, entries } of module.staticImports) {
    imports.push({ specifier: moduleRequest.value, typeOnly: entries.length > 0 && entries.every((e) => e.isType) });
  }
  for (const { moduleRequest, isType } of exported) {
    if (moduleRequest !== null) imports.push({ specifier: moduleRequest.value, typeOnly: isType });
  }
  for (const { moduleRequest } of module.dynamicImports) {
    imports.push({ specifier: stringLiteral(text.slice(moduleRequest.start, moduleRequest.end)), typeOnly: false });
  }
  for (const specifier of importedTypes(program)) imports.push({ specifier, typeOnly: true });
  return {
    path,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    imports,
    hasDefaultExport: exported.some((entry) => entry.exportName.kind === "Default"),
  };
}

function stringLiteral(source: string): string | null {
  return /^(["'])([^"'\\]*)\1$/.exec(source)?.[2] ?? null;
}

/** `import("./x.ts").Thing` in a type is in the syntax tree only. */
function importedTypes(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  if (Array.isArray(node)) return node.flatMap(importedTypes);
  const { type, source } = node as { type?: unknown; source?: { value?: unknown } };
  const own = type === "TSImportType" && typeof source?.value === "string" ? [source.value] : [];
  return [...own, ...Object.values(node).flatMap(importedTypes)];
}
