import { readFile } from "node:fs/promises";
import { quoteForShell } from "../ssh/shell-protocol.ts";
import type { Claim, OwnLock } from "./lock-transport.ts";

/**
 * The shell functions that carry out every lock operation, the same text here and on other hosts, so
 * that both respect the same guard.
 */
export function readLockScript(): Promise<string> {
  return readFile(new URL("../../resources/lock.sh", import.meta.url), "utf8");
}

/** Claims one after the other, and looks at the paths only if all of them succeeded. */
export function acquireCommand(claims: readonly Claim[], thenCheck: readonly string[]): string {
  const steps = claims.map(({ path, token, content }, index) => {
    const [first = "", second = ""] = content.split("\n");
    return call("rd_acquire", String(index), path, token, first, second);
  });
  if (thenCheck.length > 0) steps.push(call("rd_check", String(claims.length), ...thenCheck));
  return steps.join(" &&\n");
}

/** Looks at all paths in one go. */
export function checkCommand(paths: readonly string[]): string {
  return call("rd_check", "0", ...paths);
}

/** Releases every lock, whatever became of the one before. */
export function releaseCommand(locks: readonly OwnLock[]): string {
  return locks.map(({ path, token }, index) => call("rd_release", String(index), path, token)).join("\n");
}

function call(name: string, ...words: string[]): string {
  return [name, ...words.map(quoteForShell)].join(" ");
}
