import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fastify from "fastify";
import { onTestFinished } from "vitest";
import type { DirectorControl } from "../../src/web/director-control.ts";
import { registerPage } from "../../src/web/page/page-routes.ts";
import { makeTempDir } from "./temp-dir.ts";

/** The status page without a network, and with scripts that stand for the built ones. */
export async function startPage(control: DirectorControl, { actions = true } = {}) {
  const assetDirectory = await makeTempDir();
  await writeFile(join(assetDirectory, "main.js"), "export {};\n".repeat(100));
  await writeFile(join(assetDirectory, "style.css"), "p { margin: 0 }\n");
  await writeFile(join(assetDirectory, "secret.txt"), "not an asset");
  const app = fastify();
  onTestFinished(() => app.close());
  registerPage(app, { control, allowActions: actions, assetDirectory });
  return {
    get: (url: string, headers: Record<string, string> = {}) => app.inject({ method: "GET", url, headers }),
    read: async (url: string) => (await app.inject({ method: "GET", url })).body,
  };
}
