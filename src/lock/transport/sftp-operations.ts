import { sftpStatus } from "../../ssh/sftp-session.ts";
import { type LockRecord, parseLockRecord } from "../lock-record.ts";
import type {
  AcquireAnswer,
  BeatAnswer,
  CheckAnswer,
  Claim,
  FoundLock,
  OwnLock,
  PromoteAnswer,
  ReleaseAnswer,
} from "./lock-transport.ts";
import { refusal, type SftpFiles, type SftpLook } from "./sftp-files.ts";

/** What one operation works with. */
export interface SftpScope {
  readonly files: SftpFiles;
  /**
   * The server's clock in seconds. SFTP does not tell it: the time of a file is taken that was just written,
   * beside this path if need be. NaN: nothing may be written there.
   */
  serverNow(beside: string): Promise<number>;
  /** A file that was written just now has this time. */
  sawServerTime(seconds: number): void;
  /** Told before something is sent that changes the lock itself, and may be carried out without an answer. */
  aboutToChange(): void;
}

type Seen = Exclude<SftpLook, { kind: "vanished" }>;

/** A file that comes and goes is looked at three times, and then nobody can say. */
async function see(
  files: SftpFiles,
  path: string,
): Promise<Seen | { kind: "unknown"; detail: string; mayHaveRun: false }> {
  for (let look = 0; look < 3; look += 1) {
    const seen = await files.look(path);
    if (seen.kind !== "vanished") return seen;
  }
  return { kind: "unknown", detail: "the file came and went while it was looked at", mayHaveRun: false };
}

/**
 * Takes one lock: a finished file gets its name by a hard link, which fails when the name is taken. Where
 * there are no hard links the name is created exclusively and then filled, which may leave an empty lock
 * after a crash, and then read back. Never by a rename, which some servers let replace a file.
 */
export async function acquireOverSftp(claim: Claim, scope: SftpScope): Promise<AcquireAnswer> {
  const { files } = scope;
  const { path, token, content } = claim;
  const before = await see(files, path);
  if (before.kind !== "absent") {
    const answer = await standing(before, claim, scope);
    return answer.kind === "acquired" ? { ...answer, already: true } : answer;
  }
  const temp = `${path}.tmp.${token}`;
  let made = await files.create(temp, content);
  if (made.kind === "failed" && (await files.attributes(temp)).kind === "ok") {
    // Left by an earlier try with this token, perhaps in half.
    await files.unlink(temp);
    made = await files.create(temp, content);
  }
  if (made.kind !== "ok") {
    const why = await files.explainWriteFailure(made, path);
    await files.unlink(temp);
    return refusal(`it could not be written: ${why}`);
  }
  scope.sawServerTime(made.value.mtime);
  scope.aboutToChange();
  const linked = await files.hardLink(temp, path);
  await files.unlink(temp);
  if (linked.kind === "ok") return { kind: "acquired" };
  const after = await see(files, path);
  if (after.kind !== "absent") return standing(after, claim, scope);
  return createInPlace(claim, scope);
}

async function createInPlace(claim: Claim, scope: SftpScope): Promise<AcquireAnswer> {
  const { files } = scope;
  const { path, content } = claim;
  const created = await files.create(path, content);
  if (created.made && created.kind !== "ok") {
    const why = await files.explainWriteFailure(created, path);
    // Created a moment ago and by nobody else: an empty file would be a lock that nobody ever takes away.
    await files.unlink(path);
    return refusal(`it could not be written: ${why}`);
  }
  const after = await see(files, path);
  if (created.kind === "ok" || after.kind !== "absent") return standing(after, claim, scope);
  return refusal(`it could not be put in place: ${await files.explainWriteFailure(created, path)}`);
}

async function standing(
  seen: Awaited<ReturnType<typeof see>>,
  { path, token }: Claim,
  scope: SftpScope,
): Promise<AcquireAnswer> {
  if (seen.kind === "absent") return { kind: "unknown", detail: "the file has vanished again", mayHaveRun: true };
  if (seen.kind !== "file") return seen;
  return tokenOf(seen.content) === token
    ? { kind: "acquired" }
    : { kind: "held", found: await foundLock({ ...seen, path }, scope) };
}

export async function checkOverSftp(path: string, scope: SftpScope): Promise<CheckAnswer> {
  const seen = await see(scope.files, path);
  return seen.kind === "file" ? { kind: "held", found: await foundLock({ ...seen, path }, scope) } : seen;
}

/**
 * Nobody breaks locks in this mode, so between the look and the removal the file cannot become another's. A
 * removal without an answer may run much later, when it has: so there is never a second one, which would free
 * the path for others while the first is under way.
 */
export async function releaseOverSftp(lock: OwnLock, scope: SftpScope): Promise<ReleaseAnswer> {
  const { path, token, withoutWriters = false, mayUnlink = () => Promise.resolve(true), unlinkAnswered } = lock;
  const { files } = scope;
  const seen = await see(files, path);
  const mine = seen.kind === "file" && tokenOf(seen.content) === token;
  if (mine && !withoutWriters && (await mayHaveWriters(lock, seen.content, files))) {
    return refusal(
      `a shell took it, and over sftp nobody can see whether a writer still keeps ${path}.hold locked: give the account its shell back, or make sure that no rsync is left on that host and remove it with locks break --unlink --unproven`,
    );
  }
  if (mine && !(await mayUnlink())) {
    return refusal(
      "it was asked to be removed before, without an answer, or that it is cannot be written down: if it stays, somebody has to remove it",
    );
  }
  if (mine) scope.aboutToChange();
  // A claim that broke off, before or after the lock was there, may have left the name it was made under.
  const sweep = files.unlink(`${path}.tmp.${token}`);
  const [removed] = await Promise.all([mine ? files.unlink(path) : sweep, sweep]);
  if (seen.kind !== "file") return seen;
  if (!mine) return { kind: "lost", found: await foundLock({ ...seen, path }, scope) };
  unlinkAnswered?.();
  if (removed.kind === "ok") return { kind: "released" };
  const after = await see(files, path);
  if (after.kind === "absent") return { kind: "released" };
  return refusal(`it could not be removed: ${await files.explainWriteFailure(removed, path)}`);
}

/**
 * A shell gives such a lock back only while it keeps the hold file locked, so that no writer lives, and none that is on
 * its way finds the token. Where the hold file is not there the writers of this lock are on another host, and whoever
 * calls has asked that one. What was taken over sftp has no lease and no second name, and its caller has never had
 * more to go by.
 */
async function mayHaveWriters({ path, token }: OwnLock, content: string, files: SftpFiles): Promise<boolean> {
  const record = recordOf(content);
  if (record?.state !== "held" || !record.hold) return false;
  const mayBe = async (name: string) => {
    const found = await files.attributes(name);
    return found.kind !== "failed" || found.code !== sftpStatus.noSuchFile;
  };
  const isByShell = record.ttl > 0 || (await mayBe(`${path}.tmp.${token}`));
  return isByShell && (await mayBe(`${path}.hold`));
}

/** Writes the same bytes again, so that the server's own clock sets the time; SETSTAT would set ours. */
export function beatOverSftp(lock: OwnLock, scope: SftpScope): Promise<BeatAnswer> {
  return overwrite(lock, (content) => content, "beaten", scope);
}

/** The new content is as long as the old one and goes out in one request: no reader finds half of it. */
export async function promoteOverSftp({ path, token, content }: Claim, scope: SftpScope): Promise<PromoteAnswer> {
  const length = Buffer.byteLength(content);
  const replace = (before: string) => (Buffer.byteLength(before) === length ? content : undefined);
  return overwrite({ path, token }, replace, "promoted", scope);
}

async function overwrite<Done extends "beaten" | "promoted">(
  { path, token }: OwnLock,
  replace: (content: string) => string | undefined,
  done: Done,
  scope: SftpScope,
) {
  const { files } = scope;
  const before = await files.find(path);
  if (before.kind !== "file") return before;
  scope.aboutToChange();
  let fits = true;
  const written = await files.rewrite(path, (content) => {
    if (tokenOf(content) !== token) return undefined;
    const next = replace(content);
    fits = next !== undefined;
    return next;
  });
  if (written.kind === "ok" && written.value !== undefined) scope.sawServerTime(written.value.mtime);
  const after = await see(files, path);
  if (after.kind !== "file") return after;
  if (tokenOf(after.content) !== token)
    return { kind: "lost", found: await foundLock({ ...after, path }, scope) } as const;
  if (!fits) return refusal("its content would change in length");
  if (written.kind === "ok") return { kind: done } as const;
  return refusal(`it could not be written: ${await files.explainWriteFailure(written, path)}`);
}

function tokenOf(content: string): string | undefined {
  return recordOf(content)?.token;
}

function recordOf(content: string): LockRecord | undefined {
  return parseLockRecord(content.split("\n")[1] ?? "");
}

async function foundLock(
  { path, content, mtime }: { path: string; content: string; mtime: number },
  scope: SftpScope,
): Promise<FoundLock> {
  const [owner = "", second = ""] = content.split("\n");
  const ageSeconds = (await scope.serverNow(path)) - mtime;
  return { owner, record: parseLockRecord(second) ?? null, ageSeconds, mtime };
}
