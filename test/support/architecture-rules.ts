import { posix } from "node:path";
import type { SourceModule } from "./source-modules.ts";

/**
 * What each folder of src may import besides itself. The order is the floors, lowest first; a folder
 * that is not here may not exist.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: ["base"],
  config: ["base"],
  process: ["base"],
  ssh: ["base", "config"],
  metrics: ["base", "model"],
  store: ["base", "model"],
  changes: ["base", "model"],
  watch: ["base", "model"],
  notify: ["base", "model", "config", "process"],
  trigger: ["base", "model", "config", "watch"],
  rsync: ["base", "model", "process"],
  lock: ["base", "model", "config", "ssh", "process"],
  action: ["base", "model", "config", "process", "rsync", "changes"],
  run: ["base", "model", "config", "lock", "action"],
  deploy: ["base", "config", "process", "ssh"],
  web: ["base", "model", "config", "store", "metrics"],
  daemon: [
    ...["base", "model", "config", "process", "ssh", "metrics", "store", "changes", "watch", "notify", "trigger"],
    ...["rsync", "lock", "action", "run", "web"],
  ],
  cli: [
    ...["base", "model", "config", "process", "ssh", "metrics", "store", "changes", "watch", "notify", "trigger"],
    ...["rsync", "lock", "action", "run", "deploy", "web", "daemon"],
  ],
  "main.ts": ["cli"],
};

/** Modules that only one place may import: one pool of connections, one place that spawns, and so on. */
const onlyIn: readonly { module: RegExp; places: readonly string[] }[] = [
  { module: /^(execa|node:child_process|child_process|node:cluster|cluster)$/, places: ["process/"] },
  { module: /^pino(-pretty)?$/, places: ["daemon/logging.ts"] },
  { module: /^ssh2$/, places: ["ssh/"] },
  { module: /^libsql/, places: ["store/"] },
  { module: /^prom-client$/, places: ["metrics/"] },
  { module: /^commander$/, places: ["cli/"] },
];

const longest = 300;
const catchAllNames = /^(index|types?|utils?|helpers?|common|misc|shared)\.ts$/;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/;

/** The schema files import typebox for real; they are for the generator and for types, never loaded in production. */
const schemaFile = /^config\/schema(-[a-z0-9-]+)?\.ts$/;

/** Every breach of the house rules, one line each; the same order every time. */
export function findBreaches(modules: readonly SourceModule[]): string[] {
  return [...modules.flatMap(breachesOf), ...findCycles(modules)];
}

function breachesOf(module: SourceModule): string[] {
  const { path } = module;
  const name = posix.basename(path);
  const breaches: string[] = [];
  if (mayImport[folderOf(path)] === undefined) breaches.push(`${path}: the folder has no place in the floors`);
  if (module.lines > longest) breaches.push(`${path}: ${module.lines} lines, more than ${longest}`);
  if (module.hasDefaultExport) breaches.push(`${path}: has a default export`);
  if (catchAllNames.test(name)) breaches.push(`${path}: a name that says nothing`);
  else if (!kebabCase.test(name)) breaches.push(`${path}: not named in kebab-case`);
  for (const { specifier, typeOnly } of module.imports) {
    const complaint = specifier === null ? "a computed import()" : importBreach(path, specifier, typeOnly);
    if (complaint !== undefined) breaches.push(`${path}: imports ${complaint}`);
  }
  return breaches;
}

function importBreach(path: string, specifier: string, typeOnly: boolean): string | undefined {
  const from = folderOf(path);
  if (!specifier.startsWith(".")) return packageBreach(path, specifier, typeOnly);
  const target = posix.join(posix.dirname(path), specifier);
  if (target.startsWith("..")) return `${specifier}, which is outside src`;
  if (!target.endsWith(".ts")) return `${specifier} without its .ts`;
  const to = folderOf(target);
  if (to !== from && !(mayImport[from] ?? []).includes(to)) return `${target}: ${from} may not use ${to}`;
  if (schemaFile.test(target) && !schemaFile.test(path) && !typeOnly)
    return `${target} at run time: only its types may be`;
  return undefined;
}

function packageBreach(path: string, specifier: string, typeOnly: boolean): string | undefined {
  if (folderOf(path) === "base" && !specifier.startsWith("node:")) return `${specifier}: base uses Node alone`;
  if (specifier === "typebox" || specifier.startsWith("typebox/")) {
    return typeOnly || schemaFile.test(path) ? undefined : `${specifier} at run time: it is a development dependency`;
  }
  const rule = onlyIn.find(({ module }) => module.test(specifier));
  if (rule === undefined || rule.places.some((place) => path.startsWith(place))) return undefined;
  return `${specifier}: only ${rule.places.join(", ")} may`;
}

/** `run` of `run/run-queue.ts`; a file right in src stands for itself. */
function folderOf(path: string): string {
  return path.split("/", 1)[0] ?? path;
}

/** One line per import cycle, types included, each begun at its first file by name. */
function findCycles(modules: readonly SourceModule[]): string[] {
  const targets = new Map(modules.map((module) => [module.path, localImports(module)]));
  const done = new Set<string>();
  const cycles = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.add(describeCycle(trail.slice(start)));
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return [...cycles].toSorted();
}

function localImports({ path, imports }: SourceModule): string[] {
  return imports.flatMap(({ specifier }) =>
    specifier?.startsWith(".") === true ? [posix.join(posix.dirname(path), specifier)] : [],
  );
}

function describeCycle(members: readonly string[]): string {
  const first = members.indexOf([...members].toSorted()[0] ?? "");
  const ordered = [...members.slice(first), ...members.slice(0, first)];
  return `import cycle: ${[...ordered, ordered[0]].join(" → ")}`;
}
