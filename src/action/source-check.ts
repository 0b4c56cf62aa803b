import { lstat, opendir, stat } from "node:fs/promises";
import { describeError, systemErrorCode } from "../base/errors.ts";

/** Present on a freshly made or unmounted-and-remade ext file system that holds nothing else. */
export const notContent = "lost+found";

/**
 * Looks at local sources before anything is started; returns what is wrong with them. A missing source
 * fails any sync; an empty one fails a sync that deletes, because it is far more often a disk that is
 * not mounted than a wish to empty the destination.
 */
export async function checkLocalSources(
  sources: readonly string[],
  options: { deletes: boolean; signal: AbortSignal },
): Promise<string | undefined> {
  for (const source of sources) {
    // A dead network mount keeps such calls waiting for ever; the signal has to get through.
    const problem = await unlessAborted(checkSource(source, options.deletes), options.signal);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function checkSource(source: string, deletes: boolean): Promise<string | undefined> {
  try {
    const info = await stat(source).catch((error: unknown) => {
      // A link to nowhere can be copied as such.
      if (systemErrorCode(error) === "ENOENT") return lstat(source);
      throw error;
    });
    if (!deletes || !info.isDirectory() || (await hasContent(source))) return undefined;
    return emptySource(source);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return `source ${JSON.stringify(source)} does not exist`;
    return `source ${JSON.stringify(source)} cannot be read: ${describeError(error)}`;
  }
}

export function emptySource(source: string): string {
  return `source ${JSON.stringify(source)} is empty, and the sync would delete everything at the destination; is it mounted?`;
}

export async function hasContent(path: string): Promise<boolean> {
  for await (const entry of await opendir(path)) if (entry.name !== notContent) return true;
  return false;
}

/** The result of work that no signal reaches, or undefined once it is aborted. */
export async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  if (signal.aborted) return undefined;
  let onAbort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
