import { escapeRoff, titleLine, verbatim } from "./roff.mjs";

/**
 * rsyncdirector(1): what stands in no help, and the help of every command as the program gives it.
 * `ask` runs the program; a command whose help cannot be had is an error.
 */
export async function commandManual({ ask, version, date }) {
  const sections = await describeCommands([], ask);
  return `${titleLine({ name: "RSYNCDIRECTOR", section: "1", date, version, manual: "User Commands" })}.SH NAME
rsyncdirector \\- automates and coordinates rsync jobs on many hosts
.SH SYNOPSIS
.B rsyncdirector
.RI [ COMMAND ]
.RI [ OPTIONS ]
.SH DESCRIPTION
A director is one process per configuration. It runs jobs on schedules, when files change, and on request. A job waits
until the lock files of others are gone, takes its own, runs rsync, and gives its locks back. Directors on several hosts
coordinate through nothing but these files, which they reach over SSH.
.PP
Most commands take their configuration from
.BR \\-\\-config .
The same program is the daemon:
.RS 2
.nf
systemctl enable \\-\\-now rsyncdirector@NAME
.fi
.RE
.PP
reads
.IR /etc/rsyncdirector/NAME.yaml .
.SH COMMANDS
${sections.join("")}.SH SIGNALS
.TP
.B SIGHUP
Run all jobs now, once more after the run in progress.
.TP
.BR SIGTERM ", " SIGINT
Stop rsync in good order, free the locks and end; once more kills what is being stopped.
.SH FILES
.TP
.I /etc/rsyncdirector/NAME.yaml
The configuration of the instance NAME; see
.BR rsyncdirector.yaml (5).
.TP
.IR /var/lib/rsyncdirector ", " /var/lib/rsyncdirector\\-push
History, journals of changes, previous copies: of instances of root, and of the unprivileged account.
.TP
.IR /run/rsyncdirector\\-locks ", " /run/rsyncdirector\\-push\\-locks
Lock files of the one and the other.
.TP
.I /usr/share/doc/rsyncdirector
The documentation, with samples.
.SH EXIT STATUS
.TP
.B 0
All is well.
.TP
.B 1
A job failed, or the command could not do what it was asked.
.TP
.B 75
Something was skipped or is blocked; try again later.
.TP
.B 78
The command line or the configuration is wrong. systemd does not start the daemon again.
.SH SEE ALSO
.BR rsyncdirector.yaml (5),
.BR rsync (1),
.BR ssh (1),
.BR systemctl (1)
`;
}

async function describeCommands(path, ask) {
  const { status, output } = await ask(...path, "--help");
  if (status !== 0) throw new Error(`rsyncdirector ${path.join(" ")} --help ended with ${status}: ${output}`);
  const own = path.length === 0 ? [] : [`.SS rsyncdirector ${escapeRoff(path.join(" "))}\n${verbatim(output)}`];
  const deeper = [];
  for (const name of commandsIn(output)) deeper.push(...(await describeCommands([...path, name], ask)));
  return [...own, ...deeper];
}

/** The names in the list that commander prints under "Commands:". */
function commandsIn(help) {
  const list = /^Commands:\n((?: +.*\n?)+)/m.exec(help)?.[1] ?? "";
  return [...list.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name).filter((name) => name !== "help");
}
