import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { bundleScript } from "./bundled-script.ts";
import { filesBelow, readChanges } from "./tracked-tree.ts";

const program = await bundleScript(join(import.meta.dirname, "../fixtures/changes/track-syncs.ts"));

/** How a tracking program ended, and the rounds and steps that it told of. */
export interface TrackerLife {
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
}

/** Lets a real process track until it ends; `onRound` may kill it. */
export async function liveOnce(
  directory: string,
  words: readonly string[],
  onLine: (line: string, kill: () => void) => void = () => undefined,
): Promise<TrackerLife> {
  await mkdir(join(directory, "source", "sub"), { recursive: true });
  const child = spawn(process.execPath, [program, directory, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = `${text}${chunk}`.split("\n");
    text = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      onLine(line, () => child.kill("SIGKILL"));
    }
  });
  const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { signal, lines };
}

/**
 * What has to be true after any number of crashes and one sync that went well: the change log has every change of the
 * ledger exactly once, each difference goes on where the one before ended, and every previous copy is what its
 * entry says. Throws an assertion.
 */
export async function checkTracked(directory: string): Promise<{ changes: number }> {
  const backup = join(directory, "backup");
  const changes = (await readChanges(backup)).toReversed();
  const logs = (await readdir(backup)).filter((name) => name.startsWith("changes.log"));
  const ages = logs.toSorted((a, b) => Number(b.split(".")[2] ?? 0) - Number(a.split(".")[2] ?? 0));
  const log = (await Promise.all(ages.map((name) => readFile(join(backup, name), "utf8")))).join("");
  expect(log.split("=".repeat(80)).length - 1).toBe(changes.length);
  expect(new Set(log.match(/^Entry: .*/gm)).size).toBe(changes.length);
  const last = new Map<string, string>();
  for (const change of changes) {
    const { path, copy, before, after } = change;
    // Each change begins where the last one of the file ended: nothing is missing in between.
    expect([path, before?.sha256 ?? "none"]).toEqual([path, last.get(path) ?? before?.sha256 ?? "none"]);
    last.set(path, after?.sha256 ?? "none");
    expect([path, copy === null]).toEqual([path, change.change === "created"]);
    if (copy !== null) {
      const content = await readFile(join(backup, copy), "utf8");
      expect(Buffer.byteLength(content)).toBe(before?.size);
      const shown = change.change === "modified" ? log.split(`-${content}`).length - 1 : 1;
      expect([content, shown]).toEqual([content, 1]);
    }
  }
  for (const path of await filesBelow(join(directory, "source"))) {
    expect(await readFile(join(backup, "current/job/copy", path), "utf8")).toBe(
      await readFile(join(directory, "source", path), "utf8"),
    );
  }
  expect(await filesBelow(join(backup, "staging"))).toEqual([]);
  return { changes: changes.length };
}
