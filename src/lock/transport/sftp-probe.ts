import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import type { ProbeAnswer } from "./lock-transport.ts";
import { refusal } from "./sftp-files.ts";
import type { SftpScope } from "./sftp-operations.ts";

/** Tries in a directory what locks over SFTP need: some servers ignore that a file must be new. */
export async function probeOverSftp(directory: string, scope: SftpScope): Promise<ProbeAnswer> {
  const { files } = scope;
  const base = posix.join(directory, `.rsyncdirector-probe.${randomBytes(8).toString("hex")}`);
  const link = `${base}.2`;
  const there = await files.find(base);
  if (there.kind === "error") return there;
  const found = await files.stat(directory);
  const itself = await files.attributes(directory);
  const first = await files.create(base, "");
  if (found.kind !== "ok" || itself.kind !== "ok" || first.kind !== "ok") {
    if (first.made) await files.unlink(base);
    if (first.kind === "ok") return refusal("it cannot be looked at");
    return refusal(`it could not be written: ${await files.explainWriteFailure(first, base)}`);
  }
  scope.sawServerTime(first.value.mtime);
  const second = await files.create(base, "");
  const linked = await files.hardLink(base, link);
  const linkedAgain = linked.kind === "ok" ? await files.hardLink(base, link) : linked;
  await Promise.all([files.unlink(base), files.unlink(link)]);
  return {
    kind: "probed",
    mode: "sftp",
    exclusive: second.kind === "failed",
    hardLinks: linked.kind === "ok" && linkedAgain.kind === "failed",
    flock: null,
    fileSystem: "",
    uid: found.value.uid,
    permissions: found.value.mode & 0o7777,
    ...(itself.value.isSymbolicLink() && { linkUid: itself.value.uid }),
    accountUid: first.value.uid,
    nowSeconds: first.value.mtime,
  };
}
