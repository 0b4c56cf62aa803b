import { readFile } from "node:fs/promises";
import { packageFile } from "../../base/package-file.ts";
import { quoteForShell } from "../../ssh/shell-protocol.ts";

/** Room on the file system of a path. */
export interface SpaceFact {
  /** The path itself is there, and not only a directory above it. */
  readonly exists: boolean;
  readonly freeBytes: number;
  readonly bytes: number;
  /** 0: the file system does not count them. */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** What resources/doctor.sh told about a host; undefined: it did not say. */
export interface HostFacts {
  /** Seconds since 1970 by the host's clock. */
  readonly now: number | undefined;
  readonly user: string | undefined;
  readonly release: string | undefined;
  /** The first line of `rsync --version`. */
  readonly rsync: string | undefined;
  /** The version of the distribution's package, which may have repairs that rsync's own version does not show. */
  readonly rsyncPackage: string | undefined;
  readonly space: ReadonlyMap<string, SpaceFact>;
}

export function readDoctorScript(): Promise<string> {
  return readFile(packageFile("resources/doctor.sh"), "utf8");
}

export function factsCommand(paths: readonly string[]): string {
  const space = paths.length === 0 ? "" : `\nrd_space ${["0", ...paths.map(quoteForShell)].join(" ")}`;
  return `rd_facts${space}`;
}

/** Reads the answer to `factsCommand`; lines that make no sense are passed over. */
export function readFacts(lines: readonly string[], paths: readonly string[]): HostFacts {
  const values = new Map<string, string>();
  const space = new Map<string, SpaceFact>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^FACT (\w+) (.*)$/.exec(line) ?? [];
    const room = name === "space" ? /^(\d+)(\+?) (\d+) (\d+) (\d+|-) (\d+|-)$/.exec(value) : null;
    const path = room === null ? undefined : paths[Number(room[1])];
    if (room !== null && path !== undefined) space.set(path, readSpace(room));
    else if (name !== "" && value !== "") values.set(name, value);
  }
  const now = Number.parseFloat(values.get("now") ?? "");
  return {
    now: Number.isFinite(now) ? now : undefined,
    user: values.get("user"),
    release: values.get("release") ?? values.get("system"),
    rsync: values.get("rsync"),
    rsyncPackage: values.get("package"),
    space,
  };
}

function readSpace(match: RegExpExecArray): SpaceFact {
  const number = (index: number) => (match[index] === "-" ? 0 : Number(match[index]));
  return {
    exists: match[2] === "+",
    freeBytes: number(3) * 1024,
    bytes: number(4) * 1024,
    freeInodes: number(5),
    inodes: number(6),
  };
}
