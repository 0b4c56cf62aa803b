import type { ActionReport } from "../model/run.ts";

/** ssh's status when it could not do its part; rsync's own (12) when it saw the closed pipe before it had that. */
const connectionFailed: readonly (number | null)[] = [255, 12];
/** OpenSSH (ssh.c, sshconnect.c, kex.c) says these before anybody is logged in, and never later. */
const noLogin = new RegExp(
  [
    "^ssh: connect to host \\S+ port \\d+: ",
    "^ssh: Could not resolve hostname ",
    "^Connection timed out during banner exchange",
    "^kex_exchange_identification: ",
    "^Host key verification failed",
    "Permission denied \\([^)]*(?:publickey|password|keyboard|gssapi|hostbased)",
  ].join("|"),
  "m",
);
/**
 * rsync (compat.c) sends no more than the number of its protocol before it has read that of the other side, which is
 * nothing that anybody could write; io.c counts every byte that was read.
 */
const nothingReceived = /^rsync: connection unexpectedly closed \(0 bytes received so far\) \[sender\]/m;

/**
 * Whether it is certain that a push has written nothing on the other host, because it was never let in there. ssh and
 * rsync both have to say so: a line that only looks like ssh's may come from what the account's shell runs there.
 */
export function neverReached({ exitCode, output }: ActionReport): boolean {
  return connectionFailed.includes(exitCode) && noLogin.test(output) && nothingReceived.test(output);
}
