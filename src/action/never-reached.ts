import type { ActionReport } from "../model/run.ts";

/** ssh's status when it could not do its part. */
const sshFailed = 255;
/** OpenSSH (ssh.c, sshconnect.c) says this before there is a connection, and never later. */
const noConnection = /^ssh: (?:connect to host \S+ port \d+: |Could not resolve hostname )/m;
/** rsync (io.c) counts every byte of the other side. Before the first one it sends nothing that could be written. */
const nothingReceived = /^rsync: connection unexpectedly closed \(0 bytes received so far\) \[sender\]/m;

/**
 * Whether it is certain that a push has started nothing on the other host, because there never was a connection.
 * Both sides have to say so: a line that only looks like ssh's may come from what the account's shell runs there.
 */
export function neverReached({ exitCode, output }: ActionReport): boolean {
  return exitCode === sshFailed && noConnection.test(output) && nothingReceived.test(output);
}
