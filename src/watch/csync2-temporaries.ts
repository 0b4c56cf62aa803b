import type { PathChange } from "../model/changes.ts";

/**
 * Without the temporary files that csync2 makes beside a file as it sends or receives it, `.NAME.XXXXXX` (its
 * `open_temp_file`; six letters and digits of mkstemp): each update would cause the next run. A last part of small
 * letters or of digits only is more likely a name that somebody chose (`.htaccess.backup`).
 */
export function withoutTemporaries(changes: readonly PathChange[]): PathChange[] {
  return changes.filter(({ path, kind }) => kind === "tree" || !isTemporary(path));
}

function isTemporary(path: string): boolean {
  const random = /\/\.[^/]+\.([A-Za-z0-9]{6})$/s.exec(path)?.[1];
  return random !== undefined && !/^(?:[a-z]+|\d+)$/.test(random);
}
