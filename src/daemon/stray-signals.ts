/**
 * Signals that mean nothing to a director and reach it all the same. Without a listener Node opens a debugger port on
 * SIGUSR1; the others end the process at once, its locks and children being left to the next start. `systemctl kill` and
 * `pkill -f` send to the director what was meant for its rsync, which answers SIGVTALRM with its progress (rsync(1)); and
 * SIGUSR1 and SIGUSR2 have some other daemons read their files again. All others are left as they are: SIGPIPE and SIGXFSZ
 * are ignored by Node, and whoever sends SIGQUIT, SIGABRT (systemd, to a director that hangs) or SIGALRM wants the end.
 */
const strays = ["SIGUSR1", "SIGUSR2", "SIGVTALRM"] as const satisfies readonly NodeJS.Signals[];

/**
 * Has the process outlive them; children get them as ever. Returns what ends that.
 */
export function outliveStraySignals(tell: (name: NodeJS.Signals) => void): () => void {
  for (const name of strays) process.on(name, tell);
  return () => {
    for (const name of strays) process.off(name, tell);
  };
}
