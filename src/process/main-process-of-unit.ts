/**
 * systemd ends what is left of a unit when its main process dies; elsewhere the kernel has to be asked, by setpriv, which a
 * sandbox without capset(2) does not let start.
 */
export function isMainProcessOfUnit(env: Readonly<Record<string, string | undefined>>): boolean {
  return env["SYSTEMD_EXEC_PID"] === String(process.pid);
}
