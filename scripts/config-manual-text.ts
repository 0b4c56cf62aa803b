/** What the manual says before and after its sections. Every YAML example is loaded by a test. */
export const introduction = `# Configuration

<!-- Generated from src/config/schema*.ts and scripts/config-manual-*.ts by \`npm run generate\`. Do not edit. -->

One YAML file describes one instance of rsyncdirector. Begin with the annotated sample, and check it whenever it
has changed:

\`\`\`sh
rsyncdirector config init nas.yaml
rsyncdirector config check nas.yaml
rsyncdirector config show nas.yaml
\`\`\`

\`config check\` names every mistake at once, each with file, line, column, key and remedy. \`config show\` prints the
configuration with all defaults filled in. The smallest useful file:

\`\`\`yaml
rsync_id: nas
cron_schedule: "30 2 * * *"
jobs:
  - id: home
    type: local
    actions:
      - action: sync
        id: home
        source: /home/
        dest: /mnt/backup/home
        rsync: { archive: true, delete: true }
\`\`\`

## How it is written

**Durations** are numbers of seconds, or texts with units: \`500ms\`, \`90s\`, \`15m\`, \`2h 30m\`, \`7d\`, \`2w\`.

**Variables**: \`\${NAME}\` is replaced by an environment variable, \`\${NAME:-text}\` by the text if the variable is unset or
empty. A variable that is not set and has no such text is an error. \`$\${\` stands for the two characters \`\${\`.

**Quotes**: a value that begins with \`*\`, as most cron expressions do, must be quoted. The file is read as YAML 1.2:
only \`true\` and \`false\` are truth values, and a number with a leading zero is decimal. The program warns where YAML 1.1
meant something else.

**Unknown keys** are errors, so that a misspelt one is noticed.

**Paths** that begin with \`~/\` lie in the home directory of the user that runs rsyncdirector. This does not hold for
\`source\`, \`dest\` and lock files, which must be written in full.

**The file itself** must belong to root or to the user that runs rsyncdirector, and nobody else may be able to write to
it: it decides what is run. It may be at most 1 MiB long.

**Editors** with a YAML language server check and complete the file if its first line names the schema;
\`config init\` writes that line, and \`config schema\` prints the schema.

## Several files

\`include\` names further files, relative to the one it stands in. They may contain \`jobs\`, \`defaults\` and \`include\`. Their
jobs follow those of the main file, in the order of the file names. \`defaults\` hold for all jobs; where the main file
says something else, the main file counts.

\`\`\`yaml
rsync_id: nas
cron_schedule: "30 2 * * *"
include:
  - conf.d/*.yaml
jobs:
  - id: etc
    type: local
    actions:
      - { action: sync, id: etc, source: /etc, dest: /mnt/backup, opts: [-a] }
\`\`\`
`;

export const optsText = `### opts

Elements are split into words as by a POSIX shell: quotes and backslashes work, one element may hold several options.
Nothing is expanded and no shell is started. Where a shell would have done something else than pass the text on, that is
an error: \`$\`, backticks, \`;\`, \`|\`, \`&\`, \`<\`, \`>\`, parentheses, braces, and \`*\`, \`?\`, \`[\` or a leading \`~\` outside quotes.

Options that start programs or write elsewhere (\`-e\`, \`--rsync-path\`, \`-M\`, \`--daemon\`, \`--config\`, \`--log-file\`,
\`--write-batch\`, \`--read-batch\`, \`--password-file\`, \`--old-args\` and a few like them) need \`allow_unsafe_opts: true\`; so do
\`--write-devices\`, \`--trust-sender\`, \`--ignore-errors\` and \`--files-from=HOST:…\`.

A sync that would destroy its source is refused: one that deletes and whose \`dest\` holds the source or is relative (on the
other host \`backup/x\`, below the home directory, may stay), and a local one whose \`dest\` is inside its source, unless an
\`exclude\` names it. So is a source with a trailing slash and no option that copies directories.

### Commands

\`command\` is split in the same way. With \`shell: true\` it is a script instead. Variables of a script must be written as
\`$NAME\` or \`$\${NAME}\`, because \`\${NAME}\` is replaced when the file is read.

**Environment.** What a job starts (commands, hooks, rsync, ssh) does not have all variables of the director: only \`PATH\`,
\`HOME\`, \`USER\`, \`LOGNAME\`, \`SHELL\`, \`LANG\`, \`TZ\`, \`TMPDIR\` and \`SSH_AUTH_SOCK\`, with \`LC_ALL=C.UTF-8\`. An action has also
\`RSYNCDIRECTOR_RUN\`, \`RSYNCDIRECTOR_JOB\`, \`RSYNCDIRECTOR_ACTION\` and \`RSYNCDIRECTOR_ATTEMPT\` (1 at the first try). A password that the unit has
in a variable does not reach a command by itself: let it read a file that only its account may read.

\`\`\`yaml
jobs:
  - id: database
    type: local
    actions:
      - action: command
        id: dump
        command: /usr/local/bin/dump --compress
        args: ["--label", "two words"]
      - action: command
        id: count
        shell: true
        command: ls /var/backups | wc -l
\`\`\`
`;

export const closing = `## Older formats

These are read as they are, with a warning:

- Files of the Python rsyncdirector, with \`actions\` or the older \`syncs\` (which become actions \`sync-1\`, \`sync-2\` …).
  Ports may be texts, and \`private_ssh_key\`, \`private_key_path\` and \`identity_file\` mean the same everywhere. The original
  counted weekdays from 0 = Monday and knew \`5/15\` and \`last\`: set \`cron_dialect: apscheduler\` to keep that.
- The JSON file of a script that watches one directory (\`source_dir\`, \`remote_sync\`, \`rsync_options\` …). It becomes
  one watched job. Keys of the present format may stand beside the script's (\`rsync_id\`, \`metrics\` …), and
  \`watch\`, which adds to what the script's keys say: \`"watch": {"delete": "watch"}\`.

\`rsyncdirector import FILE\` writes each of them in the present format, and a \`csync2.cfg\` with the flags of the script
that watched it; it says what could not be carried over. [Moving over](migrating.md) goes through them key by key.
`;
