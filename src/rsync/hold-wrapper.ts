import { type HoldClaim, mostHolds } from "../model/hold.ts";

/** Why a writer was not let in; it says so by one line on standard error. */
export type HoldRefusal = "busy" | "lost" | "unable";

/**
 * The part of a shell script that takes all kernel locks and only then looks, at every lock file, whether it still
 * carries the token: as long as a writer has a lock, nobody breaks or gives back what it protects, so that what it
 * has seen stays true. The hold file of a lock on another host names the tokens that are dead instead. The
 * descriptors stay open in whatever is exec'd afterwards, and the kernel frees the locks when the last process
 * that inherited them is gone. Another account's hold file may be read-only for us, which is enough for flock.
 *
 * Every login shell (csh and fish too) has to hand this on between single quotes: it contains no
 * single quote, no exclamation mark, no line end and no doubled backslash.
 */
function takeHolds(holds: readonly HoldClaim[]): string {
  return [
    'f() { echo "RDHOLD $1" >&2; exit $2; }',
    't() { [ -L "$2" ] && f unable 77',
    '[ -e "$2" ] || (umask 022; : >>"$2") 2>/dev/null',
    '[ -f "$2" ] || f unable 77',
    'if [ -w "$2" ]; then eval "exec $1>>\\"\\$2\\""; elif [ -r "$2" ]; then eval "exec $1<\\"\\$2\\""; else f unable 77; fi',
    // Somebody who looks whether a writer lives has the file locked for a moment.
    "flock -n $3 $1 || { sleep 1; flock -n $3 $1; }",
    "case $? in 0) ;; 1) f busy 75 ;; *) f unable 77 ;; esac; }",
    'l() { grep -q -F -e "$2" -- "$1" || f lost 76; }',
    // A list that cannot be read is no list without the token.
    'd() { grep -q -F -e "dead $2;" -- "$1"; case $? in 0) f lost 76 ;; 1) ;; *) f unable 77 ;; esac; }',
    ...holds.map(({ hold, shared }, index) => {
      return `t ${mostHolds + 2 - index} ${shellWord(hold)} ${shared === true ? "-s" : "-x"}`;
    }),
    ...holds.map(({ hold, lock, token }) => {
      return lock === undefined ? `d ${shellWord(hold)} "${token}"` : `l ${shellWord(lock)} "${token}"`;
    }),
  ].join("; ");
}

/**
 * The value of `--rsync-path`: a command for the login shell of the other host, to which rsync adds its
 * arguments. `program` is what the operator wants to run there, in the words of a shell.
 */
export function holdRemotely(holds: readonly HoldClaim[], program: string): string {
  return `sh -c '${takeHolds(holds)}; ${runProgram(program)}' rd`;
}

/** The argv of a local rsync behind the locks. The shell replaces itself: a signal reaches rsync. */
export function holdLocally(holds: readonly HoldClaim[], argv: readonly string[]): string[] {
  return ["/bin/sh", "-c", `${takeHolds(holds)}; exec "$@"`, "rd", ...argv];
}

/** Reads the line that a refused writer leaves on standard error. */
export function readHoldRefusal(line: string): HoldRefusal | undefined {
  return /^RDHOLD (busy|lost|unable)$/.exec(line.trimEnd())?.[1] as HoldRefusal | undefined;
}

/**
 * A plain program takes the shell's place. Anything else (`sudo rsync`, which closes the descriptors it
 * inherits; `cd x && rsync`) runs below a shell that keeps the locks and outlives its signals.
 */
function runProgram(program: string): string {
  if (/^[\w./+-]+$/.test(program)) return `exec ${program} "$@"`;
  return `trap : HUP INT TERM PIPE; p=${shellWord(program)}; eval "$p \\"\\$@\\""; exit $?`;
}

/** A text as one word: what shells might read differently is written in octal. */
function shellWord(text: string): string {
  if (/^[\w./@%+=:,-]*$/.test(text)) return `"${text}"`;
  const octal = [...Buffer.from(text, "utf8")].map((byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
  return `"$(printf %b "${octal}")"`;
}
