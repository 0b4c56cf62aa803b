import { readFile } from "node:fs/promises";
import { packageFile } from "../../base/package-file.ts";
import { inSubshell, quoteForShell } from "../../ssh/shell-protocol.ts";
import type { AcquireRequest, BeatenLock, Claim, ForeignLock, OwnLock, StaleLock } from "./lock-transport.ts";

/**
 * The shell functions that carry out every lock operation, the same text here and on other hosts, so
 * that both respect the same guard.
 */
export function readLockScript(): Promise<string> {
  return readFile(packageFile("resources/lock.sh"), "utf8");
}

/** For a shell that is kept: from its second change on, a program that is kept too does what would take several. */
export const helperCommand = "rd_want_helper";

/**
 * Claims one after the other, looks at the paths only if all of them succeeded, and promotes only if
 * nothing is in the way. Answers are numbered in that order. The number behind them all says that the first look
 * found something; the answers are those of that look then.
 */
export function acquireCommand(request: AcquireRequest): string {
  const { claims, thenCheck, thenPromote = [], lookFirst = false } = request;
  const claim = claimsCommand(request);
  if (!lookFirst) return claim;
  const last = claims.length + thenCheck.length + thenPromote.length;
  return `${call("rd_free", String(last), ...claims.map(({ path }) => path), ...thenCheck)} &&\n${claim}`;
}

function claimsCommand({ claims, thenCheck, thenPromote = [] }: AcquireRequest): string {
  const [only, held] = [claims[0], thenPromote[0]];
  if (claims.length === 1 && only !== undefined && held !== undefined) {
    return call("rd_settle", "0", only.path, only.token, ...linesOf(only), linesOf(held)[1], ...thenCheck);
  }
  const steps = claims.map((claim, index) => claimCall("rd_acquire", index, claim));
  // Without a promotion that depends on it, a look is just a look.
  const look = thenPromote.length > 0 ? "rd_clear" : "rd_check";
  if (thenCheck.length > 0) steps.push(call(look, String(claims.length), ...thenCheck));
  if (thenPromote.length > 0) {
    const first = claims.length + thenCheck.length;
    const promotions = thenPromote.map((claim, index) => claimCall("rd_promote", first + index, claim));
    steps.push(`{\n${promotions.join("\n")}\n}`);
  }
  return steps.join(" &&\n");
}

/** Looks at all paths in one go. */
export function checkCommand(paths: readonly string[]): string {
  return call("rd_check", "0", ...paths);
}

/** Releases every lock, whatever became of the one before. */
export function releaseCommand(locks: readonly OwnLock[]): string {
  const release = ({ path, token, withoutWriters }: OwnLock, index: number) =>
    call("rd_release", String(index), path, token, ...(withoutWriters === true ? ["ended"] : []));
  return locks.map(release).join("\n");
}

/** Looks whether writers still keep these hold files locked. */
export function holdsCommand(paths: readonly string[]): string {
  return call("rd_holds", "0", ...paths);
}

/** Touches every lock, whatever became of the one before. */
export function beatCommand(locks: readonly BeatenLock[]): string {
  return locks
    .map(({ path, token, status }, index) =>
      call("rd_beat", String(index), path, token, ...(status === undefined ? [] : [status])),
    )
    .join("\n");
}

export function promoteCommand(claims: readonly Claim[]): string {
  return claims.map((claim, index) => claimCall("rd_promote", index, claim)).join("\n");
}

/** Writes into a hold file that a token is dead. */
export function fenceCommand({ path, token }: OwnLock): string {
  return inSubshell(call("rd_fence", "0", path, token));
}

export function breakCommand({ path, token, mtime }: StaleLock): string {
  return inSubshell(call("rd_break", "0", path, token, String(mtime)));
}

export function breakForeignCommand({ path, sha256, mtime }: ForeignLock): string {
  return inSubshell(call("rd_breakforeign", "0", path, sha256, String(mtime)));
}

export function fingerprintCommand(path: string): string {
  return inSubshell(call("rd_fingerprint", "0", path));
}

export function probeCommand(directories: readonly string[]): string {
  const probes = directories.map((directory, index) => call("rd_probe", String(index), directory));
  return inSubshell(probes.join("\n"));
}

function claimCall(name: string, number: number, claim: Claim): string {
  return call(name, String(number), claim.path, claim.token, ...linesOf(claim));
}

function linesOf({ content }: Claim): [string, string] {
  const [first = "", second = ""] = content.split("\n");
  return [first, second];
}

function call(name: string, ...words: string[]): string {
  return [name, ...words.map(quoteForShell)].join(" ");
}
