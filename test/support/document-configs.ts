import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { makeTempDir } from "./temp-dir.ts";

/** What jobs of the frames have where an example leaves it out. */
const jobFrame = {
  id: "example",
  type: "remote",
  host: "backup01.example.com",
  schedule: '"30 2 * * *"',
  actions: "[{ action: sync, id: copy, source: /srv/data/, dest: /srv/copy, rsync: { archive: true, delete: true } }]",
};

/** The parts of a configuration that examples show, and how each becomes a whole one. */
const frames: Readonly<Record<string, (text: string) => string>> = {
  /** The whole file, or some keys of its top level. */
  yaml: (text) => {
    const jobs = `jobs:\n  - { ${Object.entries(jobFrame)
      .map((pair) => pair.join(": "))
      .join(", ")} }\n`;
    return [lacks(text, "rsync_id") ? "rsync_id: example\n" : "", text, lacks(text, "jobs") ? jobs : ""].join("");
  },
  /** Some keys of a job. */
  "yaml job": (text) => {
    const given = Object.entries(jobFrame)
      .filter(([key]) => lacks(text, key) && !(key === "host" && !lacks(text, "targets")))
      .map((pair) => pair.join(": "));
    return frames["yaml"]?.(`jobs:\n  -\n${indented([...given, text].join("\n"), 4)}`) ?? "";
  },
  /** Some actions of a job. */
  "yaml actions": (text) => frames["yaml job"]?.(`actions:\n${indented(text, 2)}`) ?? "",
};

export const configKinds = Object.keys(frames);

function lacks(text: string, key: string): boolean {
  return !new RegExp(`^${key}:`, "m").test(text);
}

function indented(text: string, by: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(by));
}

/** What the program says against an example of the kind, warnings included. */
export async function configComplaints(kind: string, text: string): Promise<string[]> {
  const file = join(await makeTempDir(), "example.yaml");
  await writeFile(file, frames[kind]?.(text) ?? "", { mode: 0o600 });
  await chmod(file, 0o600);
  try {
    const { warnings } = await loadConfig(file, { env: { CREDENTIALS_DIRECTORY: "/run/credentials" } });
    return warnings.map((warning) => `warning: ${formatProblem(warning)}`);
  } catch (error) {
    return [String(error)];
  }
}
