/** What is known of a version of rsync. */
export interface VersionNote {
  readonly version: string;
  /** In words for the operator; undefined: nothing is known against it. */
  readonly flaw: string | undefined;
}

/** From rsync's NEWS; the newest first. A version below `fixedIn` has the flaw, and those of the lines above. */
const flaws: readonly { fixedIn: readonly [number, number, number]; flaw: string }[] = [
  {
    fixedIn: [3, 4, 0],
    flaw: "the holes that 3.4.0 closed (CVE-2024-12084 to 12088, 12747: a server can take over a client and the reverse)",
  },
  { fixedIn: [3, 4, 3], flaw: "six holes that 3.4.3 closed (CVE-2026-29518, 43617 to 43620, 45232)" },
  {
    fixedIn: [3, 5, 0],
    flaw: "33 holes that 3.5.0 closed (races with symbolic links at both ends, CVE-2026-53783 in rrsync, CVE-2026-70462)",
  },
];

/** Reads the first line of `rsync --version`. Undefined: it is not rsync's. */
export function judgeRsyncVersion(line: string): VersionNote | undefined {
  const [, version, major, minor, patch] = /\bversion (v?(\d+)\.(\d+)\.(\d+)\S*)/.exec(line) ?? [];
  if (version === undefined) return undefined;
  const numbers = [Number(major), Number(minor), Number(patch)] as const;
  return { version, flaw: flaws.find(({ fixedIn }) => isBelow(numbers, fixedIn))?.flaw };
}

function isBelow(version: readonly number[], other: readonly number[]): boolean {
  const index = version.findIndex((number, place) => number !== other[place]);
  return index !== -1 && (version[index] ?? 0) < (other[index] ?? 0);
}
