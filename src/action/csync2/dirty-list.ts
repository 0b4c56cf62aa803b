/** One line of `csync2 -M`: a file that a peer has not got yet. */
export interface DirtyFile {
  /** The operator chose this side to win a conflict (`csync2 -f`). */
  readonly forced: boolean;
  readonly peer: string;
  /** As csync2 knows it; it begins with `%name%` where a prefix stands for the directory. */
  readonly path: string;
}

/** Collects what `csync2 -M` prints: kind, own name, peer and path with tabs between, one file to a line. */
export function createDirtyReader() {
  const files: { forced: boolean; peer: string; path: string }[] = [];
  let stray: string | undefined;
  return {
    addLine: (line: string): void => {
      const [, kind, peer = "", path = ""] = /^(chary|force)\t[^\t]*\t([^\t]*)\t(.*)$/s.exec(line) ?? [];
      const last = files.at(-1);
      if (kind !== undefined) files.push({ forced: kind === "force", peer, path });
      // A name may contain a line break, which csync2 prints as it is.
      else if (last !== undefined) last.path += `\n${line}`;
      else stray ??= line;
    },
    files: (): readonly DirtyFile[] => files,
    /** The first line before the list that is none of it. */
    stray: () => stray,
  };
}

/** The files that one peer still has to get. */
export function dirtyFor(files: readonly DirtyFile[], peer: string): DirtyFile[] {
  return files.filter((file) => file.peer.toLowerCase() === peer.toLowerCase());
}

/**
 * Of paths that have changed, those that csync2 did not find so: it compares sizes and whole seconds, so that a
 * second change within one second escapes it. A file that was forced is left alone: to mark it again would take
 * the operator's decision back.
 */
export function unnoticed(paths: readonly string[], files: readonly DirtyFile[], peers: readonly string[]): string[] {
  const listed = new Map<string, { forced: boolean; peers: number }>();
  for (const { path, forced } of files) {
    const before = listed.get(path);
    listed.set(path, { forced: forced || before?.forced === true, peers: (before?.peers ?? 0) + 1 });
  }
  return paths.filter((path) => {
    const entry = listed.get(path);
    return entry === undefined || (!entry.forced && entry.peers < peers.length);
  });
}
