/** Keys and list indexes that lead from the root of the configuration to a value. */
export type KeyPath = readonly (string | number)[];

/** A point of a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something to tell the administrator: where, about which key, and what to do. */
export interface ConfigProblem {
  readonly file: string;
  /** undefined: it is about the file as a whole. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** `jobs[2].lock_files[0].port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The configuration works, but probably not as it was meant. */
export type ConfigWarning = ConfigProblem;

/** `file:line:column: path: message`, the form in which editors and terminals find the place. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, message } = problem;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return [place, path, message].filter((part) => part !== "").join(": ");
}

/** `["jobs", 2, "port"]` → `jobs[2].port`. */
export function formatPath(path: KeyPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[\w-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** A value as it is shown in a message: one line, and short. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
