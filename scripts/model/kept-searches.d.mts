export interface KeptSearch {
  readonly name: string;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly seconds: number;
  readonly memory: number;
  /** The property that a known mistake costs, and the length of the history that shows it. */
  readonly finds?: string;
  readonly steps?: number;
  readonly date: string;
  readonly spin: string;
  readonly hash: string;
}

export declare const pagePath: string;
export declare function readKept(): readonly KeptSearch[];
export declare function namesToSearch(rows?: readonly KeptSearch[]): readonly string[];
export declare function describeKept(rows?: readonly KeptSearch[]): string;
