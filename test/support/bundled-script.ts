import { basename, join } from "node:path";
import { rolldown } from "rolldown";
import { projectRoot } from "./project-files.ts";

/**
 * Makes one JavaScript file of a TypeScript program of the tests and of all of ours that it imports, for tests that
 * start it again and again: to compile it anew takes longer than most of what they start it for. Returns its path.
 */
export async function bundleScript(file: string): Promise<string> {
  // Beside the packages, which it imports as its source does.
  const bundled = join(projectRoot, "node_modules/.cache/test-scripts", `${basename(file, ".ts")}.mjs`);
  const bundle = await rolldown({ input: file, platform: "node", external: (id) => /^[^./]/.test(id) });
  await bundle.write({ file: bundled, format: "esm", codeSplitting: false });
  await bundle.close();
  return bundled;
}
