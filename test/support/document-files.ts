import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { runInNewContext } from "node:vm";
import { parse } from "yaml";
import { entryMark, formatLogEntry } from "../../src/changes/log-entry.ts";
import { readCsync2Settings } from "../../src/config/csync2-settings.ts";
import { readInventory } from "../../src/deploy/inventory.ts";
import { readWebConfig } from "../../src/web/web-config-file.ts";
import { findProgram } from "../../src/process/find-program.ts";
import { readProjectFile } from "./project-files.ts";
import { makeTempDir } from "./temp-dir.ts";

type Check = (text: string) => Promise<string[]>;

/** What other files than configurations are checked with: with what reads or writes them in the end. */
export const fileChecks: Readonly<Record<string, Check>> = {
  json: async (text) => {
    JSON.parse(text);
    return [];
  },
  "yaml web": async (text) => {
    readWebConfig(await fileOf("web.yml", text));
    return [];
  },
  "yaml inventory": async (text) => {
    await readInventory(await fileOf("hosts.yaml", text));
    return [];
  },
  "yaml compose": async (text) => {
    const { services } = parse(text) as { services?: object };
    // The engine itself reads it in test/system/containers.test.ts.
    return Object.keys(services ?? {}).length > 0 ? [] : ["has no services"];
  },
  "js polkit": async (text) => {
    const rules: unknown[] = [];
    runInNewContext(text, { polkit: { addRule: (rule: unknown) => rules.push(rule), Result: {} } });
    return rules.length > 0 ? [] : ["adds no rule"];
  },
  "text csync2": async (text) => {
    const { groups } = await readCsync2Settings("csync2.cfg", () => Promise.resolve(text));
    return groups.length > 0 ? [] : ["names no group"];
  },
  "text change-log": async (text) => (text === changeLogOf(text) ? [] : [`the program writes:\n${changeLogOf(text)}`]),
  "text logrotate": async (text) => said("logrotate", ["--debug", await fileOf("logrotate.conf", text)], /^error.*/gm),
  "text sshd_config": async (text) =>
    said("sshd", ["-t", "-h", await hostKey(), "-f", await fileOf("sshd_config", text)], /.+/g),
  "ini drop-in": dropInComplaints,
  "lua lsyncd": lsyncdComplaints,
};

/** sshd does not look at its configuration without one. */
async function hostKey(): Promise<string> {
  const file = join(await makeTempDir(), "key");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  return file;
}

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(await makeTempDir(), name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

const searchPath = `${process.env["PATH"]}:/usr/sbin:/sbin`;

export function isInstalled(program: string): boolean {
  return findProgram(program, searchPath) !== undefined;
}

/** What a program finds wrong. */
function said(program: string, args: readonly string[], complaint: RegExp): string[] {
  const path = findProgram(program, searchPath);
  if (path === undefined) {
    console.warn(`not installed, so that what it would say of an example is not known: ${program}`);
    return [];
  }
  const { stdout, stderr } = spawnSync(path, args, { encoding: "utf8" });
  return `${stdout}${stderr}`.match(complaint) ?? [];
}

/** A first line `# systemctl edit UNIT` says to what it is added. */
async function dropInComplaints(text: string): Promise<string[]> {
  const unit = /^# systemctl edit (\S+)$/m.exec(text)?.[1];
  if (unit === undefined) return ["does not begin with: # systemctl edit UNIT"];
  const template = `systemd/${unit.replace(/@.*/, "@.service")}`;
  const directory = await makeTempDir();
  const instance = join(directory, `${unit}.service`);
  await writeFile(instance, readProjectFile(template).replaceAll(/^(Exec\w+)=\S+/gm, "$1=/bin/true"));
  await mkdir(`${instance}.d`);
  await writeFile(join(`${instance}.d`, "example.conf"), text);
  return said("systemd-analyze", ["verify", "--man=no", instance], /^.*\S.*$/gm);
}

/** The entry that the program would write for what this one says. */
function changeLogOf(text: string): string {
  const field = (name: string) => new RegExp(`^${name}: +(.*)$`, "m").exec(text)?.[1] ?? "";
  const [jobId = "", actionId = ""] = field("Job").split(", action ");
  const [batch = "", number = ""] = field("Entry").split(".");
  const [, before = 0, after = 0, added = 0, removed = 0] =
    /(\d+) -> (\d+) bytes, (\d+) lines? added, (\d+)/.exec(field("Change"))?.map(Number) ?? [];
  const version = { kind: "text", sha256: "0", mode: 0o644, uid: 0, gid: 0 } as const;
  return formatLogEntry(
    {
      ...{ jobId, actionId, runId: field("Run"), at: Date.parse(field("Time")), trigger: field("Trigger") },
      ...{ path: basename(field("File")), file: field("File"), change: "modified", copy: null, staged: null },
      ...{ before: { ...version, size: before }, after: { ...version, size: after } },
      ...{ addedLines: added, removedLines: removed },
    },
    {
      mark: entryMark(batch, Number(number)),
      copyFile: field("Before"),
      difference: { kind: "diff", text: /^--- before\n[\s\S]*?(?==+\n)/m.exec(text)?.[0] ?? "" },
    },
  );
}

/** Whoever moves from lsyncd finds each setting of the example in the tables beside it, or here under the same name. */
async function lsyncdComplaints(text: string): Promise<string[]> {
  const tables = [
    readProjectFile("docs/migrating.md").split("## From lsyncd")[1] ?? "",
    readProjectFile("docs/configuration.md").split("### rsync")[1] ?? "",
  ].join("\n");
  const settings = [...text.matchAll(/(?:^|[{,])\s*(\w+) =/gm)].map(([, name = ""]) => name);
  const explained = (name: string) => tables.match(new RegExp(`^\\| [^|]*\\b${name}\\b`, "m")) !== null;
  return settings.filter((name) => !explained(name)).map((name) => `${name} is in no table`);
}
