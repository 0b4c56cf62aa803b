import { posix } from "node:path";
import { sftpStatus, type SftpAnswer, type SftpAttributes, type SftpSession } from "../../ssh/sftp-session.ts";
import { longestContent } from "../lock-record.ts";
import type { Refused } from "./lock-transport.ts";

/** The connection was lost in mid-operation; caught where the operation began, and answered as unknown there. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** What is at a path. `vanished`: it came and went while it was looked at. */
export type SftpLook =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly content: string; readonly mtime: number }
  | { readonly kind: "vanished" }
  | Refused;

type Definite<T> = Exclude<SftpAnswer<T>, { kind: "unknown" }>;

/**
 * The file operations that locks over SFTP are made of. Each throws `NoAnswer` when the session ends before
 * the server has said yes or no.
 */
export function createSftpFiles(session: SftpSession) {
  const ask = async <T>(call: Parameters<SftpSession["request"]>[0]): Promise<Definite<T>> => {
    const answer = await session.request<unknown>(call);
    if (answer.kind === "unknown") throw new NoAnswer(answer.detail);
    return answer as Definite<T>;
  };
  const attributes = (path: string) => ask<SftpAttributes>((sftp, done) => sftp.lstat(path, done as never));
  const stat = (path: string) => ask<SftpAttributes>((sftp, done) => sftp.stat(path, done as never));
  /** Not waited for: what comes after it is carried out after it. */
  const close = (handle: Buffer) => void session.request<void>((sftp, done) => sftp.close(handle, done as never));

  /** Reads through the handle, no more than shows that it is too long. */
  const readHandle = async (handle: Buffer): Promise<Definite<string>> => {
    const buffer = Buffer.alloc(longestContent + 1);
    let length = 0;
    while (length < buffer.length) {
      const room = buffer.length - length;
      const at = length;
      const read = await ask<number>((sftp, done) => sftp.read(handle, buffer, at, room, at, done as never));
      if (read.kind === "ok" && read.value > 0) length += read.value;
      else if (read.kind === "failed" && read.code !== endOfFile) return read;
      else break;
    }
    return { kind: "ok", value: length > longestContent ? "" : buffer.toString("utf8", 0, length) };
  };
  const open = (path: string, flags: "r" | "r+" | "wx") =>
    ask<Buffer>((sftp, done) => sftp.open(path, flags, { mode: 0o644 }, done as never));
  const attributesOf = (handle: Buffer) => ask<SftpAttributes>((sftp, done) => sftp.fstat(handle, done as never));
  const readFile = async (path: string): Promise<Definite<string>> => {
    const opened = await open(path, "r");
    if (opened.kind !== "ok") return opened;
    const read = await readHandle(opened.value);
    close(opened.value);
    return read;
  };
  const writeHandle = (handle: Buffer, content: string) => {
    const bytes = Buffer.from(content);
    return ask<void>((sftp, done) => sftp.write(handle, bytes, 0, bytes.length, 0, done as never));
  };
  /** For a power failure; not every server can, and none has to. */
  const flush = (handle: Buffer) => ask<void>((sftp, done) => sftp.ext_openssh_fsync(handle, done as never));

  const find = async (path: string): Promise<{ kind: "file"; mtime: number } | { kind: "absent" } | Refused> => {
    const found = await attributes(path);
    if (found.kind === "unsupported") return refusal("the server cannot look at files");
    if (found.kind === "failed") {
      if (found.code !== sftpStatus.noSuchFile) return lookFailure(found);
      return proveAbsence(await stat(posix.dirname(path)));
    }
    const odd = oddKind(found.value);
    return odd === undefined ? { kind: "file", mtime: found.value.mtime } : refusal(odd);
  };

  return {
    attributes,
    stat,
    unlink: (path: string) => ask<void>((sftp, done) => sftp.unlink(path, done as never)),
    hardLink: (from: string, to: string) =>
      ask<void>((sftp, done) => sftp.ext_openssh_hardlink(from, to, done as never)),
    /**
     * Creates a file, which must not exist, and answers its attributes, whose time is that of the server's
     * clock. `made`: the file is there and is ours, also when it could not be filled.
     */
    create: async (path: string, content: string): Promise<Definite<SftpAttributes> & { made: boolean }> => {
      const opened = await open(path, "wx");
      if (opened.kind !== "ok") return { ...opened, made: false };
      const handle = opened.value;
      const written: Definite<void> = content === "" ? nothingToDo : await writeHandle(handle, content);
      if (written.kind === "ok" && content !== "") await flush(handle);
      const made = await attributesOf(handle);
      close(handle);
      return { ...(written.kind === "ok" ? made : written), made: true };
    },
    /**
     * Writes over a file, all through one handle: another file that takes its place meanwhile is not touched.
     * Nothing is written, and undefined answered, when `replace` answers undefined.
     */
    rewrite: async (
      path: string,
      replace: (content: string) => string | undefined,
    ): Promise<Definite<SftpAttributes | undefined>> => {
      const opened = await open(path, "r+");
      if (opened.kind !== "ok") return opened;
      const handle = opened.value;
      const before = await readHandle(handle);
      const content = before.kind === "ok" ? replace(before.value) : undefined;
      const written = content === undefined ? undefined : await writeHandle(handle, content);
      const after = written?.kind === "ok" ? await attributesOf(handle) : written;
      close(handle);
      if (before.kind !== "ok") return before;
      return after ?? { kind: "ok", value: undefined };
    },
    /** What kind of thing is at the path; the content of a file is not read. */
    find,
    look: async (path: string): Promise<SftpLook> => {
      const found = await find(path);
      if (found.kind !== "file") return found;
      const read = await readFile(path);
      if (read.kind === "failed" && read.code === sftpStatus.noSuchFile) return { kind: "vanished" };
      // A lock that may not be read is a lock all the same.
      return { ...found, content: read.kind === "ok" ? read.value : "" };
    },
    /** Why something could not be written: the one code for everything says nothing about a full disk. */
    explainWriteFailure: async (answer: Exclude<Definite<unknown>, { kind: "ok" }>, path: string): Promise<string> => {
      if (answer.kind === "unsupported") return "the server does not support it";
      if (answer.code !== sftpStatus.failure) return answer.message;
      const space = await ask<{ f_bavail: number; f_favail: number }>((sftp, done) =>
        sftp.ext_openssh_statvfs(posix.dirname(path), done as never),
      );
      if (space.kind !== "ok") return answer.message;
      if (Number(space.value.f_bavail) === 0) return "No space left on device";
      return Number(space.value.f_favail) === 0 ? "No inodes left on device" : answer.message;
    },
  };
}

export type SftpFiles = ReturnType<typeof createSftpFiles>;

const endOfFile = 1;
const nothingToDo: Definite<void> = { kind: "ok", value: undefined };

/**
 * The code for "no such file" also stands for ENOTDIR, ELOOP and EBADF, so the directory has to be there for
 * an absence to be one.
 */
function proveAbsence(directory: Definite<SftpAttributes>): { kind: "absent" } | Refused {
  if (directory.kind === "ok" && directory.value.isDirectory()) return { kind: "absent" };
  if (directory.kind === "failed" && directory.code !== sftpStatus.noSuchFile) return lookFailure(directory);
  return refusal(
    "its directory does not exist (a directory below /run is gone after a reboot unless tmpfiles.d makes it)",
  );
}

function lookFailure(answer: { code: number; message: string }): Refused {
  if (answer.code === sftpStatus.noPermission) return refusal("its directory may not be entered by this user");
  return refusal(`it cannot be looked at: ${answer.message}`);
}

function oddKind(found: SftpAttributes): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isSymbolicLink()) return "a symbolic link is in its place";
  if (found.isDirectory()) return "a directory is in its place";
  return "a device, socket or FIFO is in its place";
}

export function refusal(detail: string): Refused {
  return { kind: "error", detail };
}
