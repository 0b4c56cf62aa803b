import { OperatorError } from "../../base/errors.ts";

/** What this program needs to know of a csync2 configuration; csync2 itself reads and obeys all of it. */
export interface Csync2Settings {
  readonly groups: readonly Csync2Group[];
  readonly prefixes: readonly Csync2Prefix[];
}

export interface Csync2Group {
  readonly name: string;
  readonly hosts: readonly Csync2Host[];
  /** In their order: of those that match a path the last one counts. */
  readonly patterns: readonly { readonly kind: "include" | "exclude"; readonly pattern: string }[];
}

export interface Csync2Host {
  /** Small letters, as csync2 compares them. */
  readonly host: string;
  /** The name it is connected by, which `-P` takes: what follows `@`, else the host. */
  readonly peer: string;
  /** In brackets: it gets updates and may send none. */
  readonly slave: boolean;
}

/** `%name%` at the beginning of a pattern: another directory on each host. */
export interface Csync2Prefix {
  readonly name: string;
  readonly entries: readonly { readonly hosts: string; readonly path: string }[];
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

/** Statements of the outermost level that end with a semicolon and say nothing of hosts and files. */
const plainStatements: readonly string[] = ["nossl", "database", "tempdir", "ignore", "lock-timeout"];

/**
 * Reads a configuration (csync2's manual, "Configuration File"). `readFile` gives the text of the file and of
 * those that `config` statements name. Throws an OperatorError that names file and line of what is not
 * understood.
 */
export async function readCsync2Settings(
  file: string,
  readFile: (file: string) => Promise<string>,
): Promise<Csync2Settings> {
  const groups: Csync2Group[] = [];
  const prefixes: Csync2Prefix[] = [];
  const readOne = async (name: string, depth: number): Promise<void> => {
    if (depth > 10) throw new OperatorError(`${name}: config statements are nested too deeply`);
    const cursor = createCursor(name, tokensOf(await readFile(name)));
    for (let token = cursor.next(); token !== undefined; token = cursor.next()) {
      if (token.text === "group") groups.push(readGroup(cursor, groups.length + 1));
      else if (token.text === "prefix") prefixes.push(readPrefix(cursor));
      else if (token.text === "config") for (const other of cursor.untilEnd()) await readOne(other.text, depth + 1);
      else if (plainStatements.includes(token.text)) cursor.untilEnd();
      else if (token.text !== ";") throw cursor.unexpected(token);
    }
  };
  await readOne(file, 0);
  return { groups, prefixes };
}

type Cursor = ReturnType<typeof createCursor>;

function createCursor(file: string, tokens: readonly Token[]) {
  let index = 0;
  const unexpected = (token: Token | undefined) =>
    new OperatorError(
      token === undefined
        ? `${file}: ends in the middle of a statement of csync2`
        : `${file}:${token.line}: ${JSON.stringify(token.text)} is not understood as a statement of csync2`,
    );
  const next = () => tokens[index++];
  return {
    unexpected,
    next,
    expect: (text: string) => {
      const token = next();
      if (token?.text !== text || token.quoted) throw unexpected(token);
    },
    /** The words before the semicolon that ends the statement. */
    untilEnd: (): Token[] => {
      const words: Token[] = [];
      for (let token = next(); token === undefined || token.quoted || token.text !== ";"; token = next()) {
        if (token === undefined || (!token.quoted && /^[{}]$/.test(token.text))) throw unexpected(token);
        words.push(token);
      }
      return words;
    },
  };
}

function readGroup(cursor: Cursor, number: number): Csync2Group {
  const first = cursor.next();
  const name = first?.text === "{" ? `group_${number}` : (first?.text ?? "");
  if (first?.text !== "{") cursor.expect("{");
  const hosts: Csync2Host[] = [];
  const patterns: Csync2Group["patterns"][number][] = [];
  for (let token = cursor.next(); token?.text !== "}"; token = cursor.next()) {
    if (token === undefined) throw cursor.unexpected(token);
    if (token.text === "action") skipBlock(cursor);
    else if (token.text === "host") hosts.push(...readHosts(cursor));
    else if (token.text === "include" || token.text === "exclude") {
      const kind = token.text === "include" ? "include" : "exclude";
      for (const { text } of cursor.untilEnd()) patterns.push({ kind, pattern: text.replace(/(?<=.)\/+$/, "") });
    } else if (/^[a-z][a-z-]*$/.test(token.text)) cursor.untilEnd();
    else if (token.text !== ";") throw cursor.unexpected(token);
  }
  return { name, hosts, patterns };
}

/** `host1 host2@interface (slave)` */
function readHosts(cursor: Cursor): Csync2Host[] {
  const hosts: Csync2Host[] = [];
  let slave = false;
  const words = cursor.untilEnd();
  for (let index = 0; index < words.length; index += 1) {
    const { text = "" } = words[index] ?? {};
    if (text === "(" || text === ")") {
      slave = text === "(";
      continue;
    }
    const host = text.toLowerCase();
    const atInterface = words[index + 1]?.text === "@" ? words[index + 2] : undefined;
    if (atInterface !== undefined) index += 2;
    hosts.push({ host, peer: atInterface?.text.toLowerCase() ?? host, slave });
  }
  return hosts;
}

function skipBlock(cursor: Cursor): void {
  cursor.expect("{");
  for (let token = cursor.next(); token?.text !== "}" || token.quoted; token = cursor.next()) {
    if (token === undefined) throw cursor.unexpected(token);
  }
}

function readPrefix(cursor: Cursor): Csync2Prefix {
  const name = cursor.next()?.text ?? "";
  cursor.expect("{");
  const entries: { hosts: string; path: string }[] = [];
  for (let token = cursor.next(); token?.text !== "}"; token = cursor.next()) {
    if (token?.text !== "on") throw cursor.unexpected(token);
    const [hosts, colon, path] = cursor.untilEnd();
    if (hosts === undefined || colon?.text !== ":" || path === undefined) throw cursor.unexpected(token);
    entries.push({ hosts: hosts.text, path: path.text.replace(/(?<=.)\/+$/, "") });
  }
  return { name, entries };
}

/** Words, quoted texts and signs; `#` begins a comment anywhere outside a quoted text. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [match, quoted] of text.matchAll(/"([^"]*)"|#[^\n]*|\s+|[{}();:@]|[^\s{}();:@#"]+|"/g)) {
    const isText = quoted !== undefined;
    if (isText || !/^[#\s]/.test(match)) tokens.push({ text: quoted ?? match, quoted: isText, line });
    line += match.split("\n").length - 1;
  }
  return tokens;
}
