import { readFileSync } from "node:fs";
import { packageFile } from "../base/package-file.ts";

/** The version in package.json, which lies beside `dist` and beside `src`. */
export function programVersion(): string {
  const text = readFileSync(packageFile("package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
