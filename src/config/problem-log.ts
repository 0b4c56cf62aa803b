import { OperatorError } from "../base/errors.ts";
import type { Positions } from "./positions.ts";
import {
  type ConfigProblem,
  type ConfigWarning,
  formatPath,
  formatProblem,
  type KeyPath,
  type Place,
} from "./problem.ts";

/** So many errors are printed; a file that is not a configuration at all would have thousands. */
const mostShown = 100;

/**
 * Collects everything that is wrong with a configuration, so that one look shows every mistake. The
 * tree to which paths belong is set once the files are read; until then problems come with a place.
 */
export class ProblemLog {
  /** By their text, so that one mistake seen by two checks is told once. */
  readonly #errors = new Map<string, ConfigProblem>();
  readonly #warnings: ConfigWarning[] = [];
  /** Values that were already complained about; what else is wrong with them follows from that. */
  readonly #blamed = new Set<string>();
  readonly #broken: KeyPath[] = [];
  readonly #positions: Positions;
  #root: unknown;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  setRoot(root: unknown): void {
    this.#root = root;
  }

  get failed(): boolean {
    return this.#errors.size > 0;
  }

  /** Too much is wrong for looking closer to be worth the time. */
  get hopeless(): boolean {
    return this.#errors.size > 5 * mostShown;
  }

  get errors(): readonly ConfigProblem[] {
    return [...this.#errors.values()].toSorted(inFileOrder);
  }

  get warnings(): readonly ConfigWarning[] {
    return this.#warnings.toSorted(inFileOrder);
  }

  /** About a file as a whole. */
  fileError(file: string, message: string): void {
    this.#push({ file, line: undefined, column: undefined, path: "", message });
  }

  /** About a place in a file. `blame`: further errors at this very value are consequences of this one. */
  errorAt(place: Place, path: string, message: string, options: { blame?: boolean } = {}): void {
    this.#push({ ...place, path, message });
    if (options.blame === true) this.#blamed.add(placeKey(place));
  }

  warningAt(place: Place, path: string, message: string): void {
    this.#warnings.push({ ...place, path, message });
  }

  /** About a value of the tree. `at: "key"` points at the key, for keys that should not be there. */
  error(path: KeyPath, message: string, options: { at?: "key" | "value" } = {}): void {
    const place = this.#positions.find(this.#root, path, options.at);
    this.#broken.push(path);
    if (place !== undefined && this.#blamed.has(placeKey(place))) return;
    this.#push(this.#problem(path, place, message));
  }

  warning(path: KeyPath, message: string, options: { at?: "key" | "value" } = {}): void {
    this.#warnings.push(this.#problem(path, this.#positions.find(this.#root, path, options.at), message));
  }

  /** `file:line` of a value, for messages about two places. */
  placeOf(path: KeyPath): string {
    const place = this.#positions.find(this.#root, path);
    return place === undefined ? formatPath(path) : `${place.file}:${place.line}`;
  }

  /** Where a value stands, for who looks at the configuration later. */
  find(path: KeyPath): Omit<ConfigProblem, "message"> {
    const { file, line, column, path: shown } = this.#problem(path, this.#positions.find(this.#root, path), "");
    return { file, line, column, path: shown };
  }

  /** Whether nothing is known to be wrong at, above or below a path: only then can it be looked into. */
  isSound(path: KeyPath): boolean {
    return !this.#broken.some((broken) => {
      const common = Math.min(broken.length, path.length);
      return broken.slice(0, common).every((part, index) => part === path[index]);
    });
  }

  /** Throws one error that lists every problem, a line each, in the order of the files. */
  throwIfFailed(): void {
    if (!this.failed) return;
    const lines = this.errors.map(formatProblem);
    const more = lines.length > mostShown ? [`… and ${lines.length - mostShown} more`] : [];
    throw new OperatorError([...lines.slice(0, mostShown), ...more].join("\n"), { kind: "usage" });
  }

  #problem(path: KeyPath, place: Place | undefined, message: string): ConfigProblem {
    const { file = "", line, column } = place ?? {};
    return { file, line, column, path: formatPath(this.#positions.asWritten(this.#root, path)), message };
  }

  #push(problem: ConfigProblem): void {
    this.#errors.set(formatProblem(problem), problem);
  }
}

function placeKey(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

function inFileOrder(one: ConfigProblem, other: ConfigProblem): number {
  return (
    (one.file < other.file ? -1 : one.file > other.file ? 1 : 0) ||
    (one.line ?? 0) - (other.line ?? 0) ||
    (one.column ?? 0) - (other.column ?? 0)
  );
}
