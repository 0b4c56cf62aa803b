import { chmod } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { root } from "./run-program.mjs";

/** What a process that only asks a director needs: `status`, and what every command begins with. */
const askingModules = ["src/cli/program.ts", "src/cli/commands/status.ts"];
const configModules = ["src/config/load.ts"];
/** It loads its locks lazily, and always. */
const daemonModules = ["src/daemon/run-daemon.ts", "src/daemon/locking.ts"];

/**
 * Makes few files of the hundreds of our own modules: to find and to read each of them was a third of a start. The
 * packages stay packages, so that what audits and updates them sees what runs. Throws when it cannot.
 */
export async function bundleProgram(directory) {
  let partOf;
  const bundle = await rolldown({
    input: { main: join(root, "src/main.ts") },
    platform: "node",
    external: isPackage,
    // Nobody imports main.js, so that what it exports may be what its parts need of it.
    preserveEntrySignatures: "allow-extension",
    // A lazy import of what lies in a part is for the source, where it keeps the rest of the part away.
    checks: { ineffectiveDynamicImport: false },
    onLog: refuseWarning,
  });
  const { output } = await bundle.write({
    dir: directory,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: {
      groups: [{ debugName: "part", name: (id, graph) => (partOf ??= divide(graph)).get(id) ?? null }],
      includeDependenciesRecursively: false,
    },
  });
  await bundle.close();
  const taken = output.flatMap(({ moduleIds = [] }) => moduleIds).find((id) => id.includes("/node_modules/"));
  // It waits for its parts when it is loaded: one that waited for it would wait for ever.
  if (output.some(({ imports = [] }) => imports.includes("main.js"))) throw new Error("a part imports main.js");
  if (taken !== undefined) throw new Error(`${taken}: its package is not among the dependencies in package.json`);
  await chmod(join(directory, "main.js"), 0o755);
}

const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Stays outside: what Node and the packages provide that are installed with the program. */
function isPackage(id) {
  return isBuiltin(id) || Object.keys(dependencies).some((name) => id === name || id.startsWith(`${name}/`));
}

/** What the bundler itself needs (its helpers for syntax that it rewrites) has to come along, and nothing may be missing. */
function refuseWarning(level, log) {
  if (level === "warn") throw new Error(`the bundle would not be as it should: ${log.message}`);
}

/**
 * In which file a module lies, by its path. Each part has all that its modules import, but for what lies in a part
 * before it. Modules that are in none lie beside what imports them, lazily for the most part.
 */
function divide(graph) {
  const asking = loadedWith(graph, askingModules);
  const config = loadedWith(graph, configModules);
  const daemon = loadedWith(graph, daemonModules);
  // What commands and the daemon both need, so that no command loads the daemon for a word or two.
  const cli = loadedWith(graph, cliModules());
  const shared = new Set([...cli].filter((id) => daemon.has(id)));
  const partOf = new Map();
  for (const [name, modules] of Object.entries({ asking, config, shared, daemon })) {
    for (const id of modules) if (!partOf.has(id)) partOf.set(id, name);
  }
  return partOf;
}

/** These modules, and all of ours that they import at once. */
function loadedWith(graph, files) {
  const found = new Set(files.map((file) => join(root, file)));
  for (const id of found) {
    const { importedIds = [] } = graph.getModuleInfo(id) ?? {};
    for (const imported of importedIds) if (!isPackage(imported)) found.add(imported);
  }
  return found;
}

function cliModules() {
  const files = readdirSync(join(root, "src/cli"), { recursive: true });
  return files.filter((file) => file.endsWith(".ts")).map((file) => join("src/cli", file));
}
