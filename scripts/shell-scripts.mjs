import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

const places = [".ci", "bench", "deploy", "packaging", "resources", "scripts", "src", "systemd", "test"];

/** Every shell script of the project, known by its first line or its name. */
export async function findShellScripts(root) {
  const found = [];
  for (const place of places) {
    const entries = await readdir(join(root, place), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (entry.name.endsWith(".sh") || /^#!.*\b(ba|da)?sh\b/.test(await firstLine(path))) found.push(path);
    }
  }
  return found.toSorted();
}

async function firstLine(path) {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(100), 0, 100, 0);
    return buffer.toString("utf8", 0, bytesRead).split("\n", 1)[0] ?? "";
  } finally {
    await file.close();
  }
}
