/** What `csync2 -u -v` said about one peer. */
export interface UpdateOutput {
  /** From its last line; null: it did not come so far. */
  readonly errors: number | null;
  /** Files that csync2 says it could not bring to the peer. */
  readonly left: readonly string[];
  /** Files sent or deleted, those that were equal already included. */
  readonly handled: number;
  /** Lines that say what went wrong, as they are. */
  readonly complaints: readonly string[];
  /** The connection stands; csync2 prints nothing while it waits for it. */
  readonly connected: boolean;
}

/** How the lines begin that tell what goes on. Their rest may be a file name, which may say anything. */
const ordinary =
  /^(?:Connecting to host |Bound to |Connect to |File is already up to date|Connection closed|Marking file as dirty: |missing parent dir : |Auto-resolving conflict: Won |Adding peer x509 certificate to db: |Running '|WARNING: Parameter will be ignored: |While syncing file |response from peer)/;

const complaint =
  /error|fail|denied|refused|wrong|busy|can(?:'| ?no)t|not allowed|no such|invalid|unable|unexpected|expecting|out of memory|too (?:short|deeply)|^(?:Config|SSL|Found|Near|This host|Peer did|Do not auto-resolve)/i;

/** Reads the lines of `csync2 -u -v` or `csync2 -c` as they come. */
export function createUpdateReader() {
  const left = new Set<string>();
  const complaints: string[] = [];
  let [errors, handled, connected]: [number | null, number, boolean] = [null, 0, false];
  let current: string | undefined;
  /** The beginning of a line whose file name has a line break in it. */
  let begun: string | undefined;

  const readAction = (line: string): boolean => {
    const text = begun === undefined ? line : `${begun}\n${line}`;
    if (!/^(?:Updating|Deleting) /.test(text)) return false;
    const [, path] = /^(?:Updating|Deleting) (.*) on \S+ \.\.\.$/s.exec(text) ?? [];
    begun = path === undefined ? text : undefined;
    if (path !== undefined) {
      current = path;
      // It is tried again once its directory is there.
      left.delete(path);
      handled += 1;
    }
    return true;
  };
  return {
    addLine: (line: string): void => {
      const finished = /^Finished with (\d+) errors?\.$/.exec(line)?.[1];
      if (finished !== undefined) errors = Number(finished);
      else if (readAction(line)) return;
      // csync2 2.0 forgets the line break after "auto resolving".
      else if (/(?:^|auto resolving\.\.\. response = \d+)File stays in dirty state\./.test(line)) {
        if (current !== undefined) left.add(current);
      } else if (line.startsWith("Connect to ")) connected = true;
      else if (!ordinary.test(line) && complaint.test(line)) complaints.push(line);
    },
    output: (): UpdateOutput => ({ errors, left: [...left], handled, complaints, connected }),
  };
}

/** Why a peer did not take a file: `conflict`, or what it answered. */
export type RefusalCause = { readonly kind: "conflict" } | { readonly kind: "other"; readonly answer: string };

/**
 * Reads `csync2 -u -vvv`, the only way to learn what a peer answered. These lines contain the group's key:
 * nothing of them but the answers goes any further.
 */
export function createCauseReader() {
  const causes = new Map<string, RefusalCause>();
  let open: string | undefined;
  return {
    addLine: (line: string): void => {
      const text = open === undefined ? line : `${open}\n${line}`;
      if (!text.startsWith("response from peer(")) return;
      const [, file, answer] = /^response from peer\((.*)\): \S+ \[\d+\] <- (.*)$/s.exec(text) ?? [];
      open = file === undefined ? text : undefined;
      if (file === undefined || answer === undefined || answer.startsWith("OK (")) return;
      const kind = answer === "File is also marked dirty here!" ? "conflict" : "other";
      causes.set(file, kind === "conflict" ? { kind } : { kind, answer });
    },
    causes: (): ReadonlyMap<string, RefusalCause> => causes,
  };
}
