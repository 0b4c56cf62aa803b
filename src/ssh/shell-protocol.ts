import { randomFillSync } from "node:crypto";

/**
 * How operations travel to a shell that reads commands from standard input, and how their answers are
 * told from everything else a login may print (banners, the output of a .bashrc): an answer line
 * begins with `RD1` and the nonce of its operation.
 */
const prefix = "RD1";

const nonceLength = 8;
/** Drawn many at a time: a few bytes take as long as all of these. */
const drawn = Buffer.alloc(128 * nonceLength);
let undealt = 0;

/** 64 random bits that no banner will print by chance. */
export function newNonce(): string {
  if (undealt === 0) undealt = randomFillSync(drawn).length;
  undealt -= nonceLength;
  return drawn.toString("hex", undealt, undealt + nonceLength);
}

/**
 * Wraps commands for a shell. They run in that shell itself, without standard input, which carries the operations
 * that follow. They find the nonce in `$rd_nonce` and answer with lines `RD1 <nonce> …`, which they print or add to
 * `$rd_said`; the last line is `RD1 <nonce> END`. Commands that may end the shell, or change it, belong in a subshell.
 */
export function frameOperation(nonce: string, command: string): string {
  const print = `printf '%s${prefix} %s END\\n' "$rd_said" ${nonce}`;
  return `{\nrd_nonce=${nonce} rd_said=\n${command}\n} </dev/null\n${print}\n`;
}

/** Neither their variables nor an `exit` outlive it; it costs as much as half of the rest. */
export function inSubshell(command: string): string {
  return `(\n${command}\nprintf %s "$rd_said"\n)`;
}

/** Quotes any text (without NUL) as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export type AnswerLine =
  | { readonly kind: "answer"; readonly nonce: string; readonly text: string }
  | { readonly kind: "noise"; readonly text: string };

/** Tells answers from noise. */
export function readAnswerLine(line: string): AnswerLine {
  const match = /^RD1 ([0-9a-f]{16}) (.*)$/s.exec(line);
  if (match === null) return { kind: "noise", text: line };
  return { kind: "answer", nonce: match[1] as string, text: match[2] as string };
}

/** Whether this answer says that the operation is over. */
export function isEnd(answer: string): boolean {
  return answer === "END";
}

/** The answers of one operation in a complete output; undefined when it did not come to its end. */
export function collectAnswers(output: string, nonce: string): string[] | undefined {
  const answers: string[] = [];
  for (const line of output.split("\n")) {
    const read = readAnswerLine(line);
    if (read.kind === "noise" || read.nonce !== nonce) continue;
    if (isEnd(read.text)) return answers;
    answers.push(read.text);
  }
  return undefined;
}
