import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kill } from "./commands.ts";

/**
 * An rsync for one job that tells when it could write. It becomes the real one, which inherits two files of
 * its own that are locked with flock: the kernel says so when the last process that could write has ended,
 * however it ended. A dying process lets go of its files in the order of their descriptors, or against it,
 * as the kernel's version has it: of two descriptors around those of the hold locks, one is free before
 * them, and a writer counts as alive only while both are locked. The look at the others comes after the own
 * ones are locked, so that of two writers one sees the other.
 */
export function writeWitness(root: string, job: string): string {
  const directory = join(root, "witness", job);
  mkdirSync(directory, { recursive: true });
  for (const name of ["alive", "alive-too", "gone"]) mkdirSync(join(root, name), { recursive: true });
  const file = join(directory, "rsync");
  writeFileSync(file, script(root, job), { mode: 0o755 });
  return directory;
}

function script(root: string, job: string): string {
  return `#!/bin/bash
PATH=/usr/bin:/bin
writes=no last=
case " $* " in
  *" --list-only "* | *" --sender "*) ;;
  *" --server "*) writes=yes ;;
  *) for last in "$@"; do :; done
     case $last in *:*) ;; *) writes=yes ;; esac ;;
esac
# A host with a clock of its own is about locks; rsync would take a jump for a silence of the other side.
unset LD_PRELOAD
[ $writes = yes ] || exec rsync "$@"
read -r up rest </proc/uptime
me=${job}.$$.$up
exec 3>>'${root}/alive/'$me 20>>'${root}/alive-too/'$me
flock 3
flock 20
echo alive >&3
locked() {
  flock -n -s -E 9 21 2>/dev/null 21<"$1"
  [ $? = 9 ]
}
others= holds= tokens=
for file in '${root}'/alive/*; do
  name=\${file##*/}
  [ "$name" != "$me" ] || continue
  locked "$file" && locked '${root}/alive-too/'"$name" && others="$others,\\"$name\\""
done
for hold in $(readlink /proc/$$/fd/4 /proc/$$/fd/5 /proc/$$/fd/6 /proc/$$/fd/7 /proc/$$/fd/8 /proc/$$/fd/9); do
  case $hold in *.hold) ;; *) continue ;; esac
  holds="$holds,\\"$hold\\""
  [ -f "\${hold%.hold}" ] || continue
  { read -r first; read -r second; } 2>/dev/null <"\${hold%.hold}"
  second=\${second#*'"token":"'}
  tokens="$tokens,\\"\${second%%'"'*}\\""
done
read -r up rest </proc/uptime
printf '{"at":"start","writer":"%s","job":"%s","uptime":%s,"holds":[%s],"tokens":[%s],"others":[%s]}\\n' \\
  "$me" '${job}' "$up" "\${holds#,}" "\${tokens#,}" "\${others#,}" >>'${root}/witness.jsonl'
exec rsync "$@"
`;
}

export interface WitnessMonitor {
  /** Writers whose end is not written down yet. */
  living(): string[];
  /** Whether a writer lives just now, as the kernel says; its end is written down a moment later. */
  isAlive(writer: string): boolean;
  close(): Promise<void>;
}

/** Notes the end of every writer: a process waits until the kernel lets it have the lock of the witness. */
export function watchWitnesses(root: string): WitnessMonitor {
  const alive = join(root, "alive");
  const waiters = new Map<string, ChildProcess>();
  const ended = new Set<string>();

  const watch = (writer: string) => {
    const waiter = spawn(
      "setpriv",
      ["--pdeathsig", "KILL", "flock", "-s", join(alive, writer), "cat", "/proc/uptime"],
      {
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    waiters.set(writer, waiter);
    let output = "";
    waiter.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    waiter.once("close", () => {
      waiters.delete(writer);
      const uptime = Number.parseFloat(output);
      if (!Number.isFinite(uptime)) return;
      ended.add(writer);
      renameSync(join(alive, writer), join(root, "gone", writer));
      appendFileSync(join(root, "witness.jsonl"), `${JSON.stringify({ at: "end", writer, uptime })}\n`);
    });
  };
  const look = () => {
    for (const name of readdirSync(alive)) {
      // It is empty until it is locked.
      if (!waiters.has(name) && !ended.has(name) && statSync(join(alive, name)).size > 0) watch(name);
    }
  };
  const timer = setInterval(look, 100);
  return {
    living: () => {
      look();
      return [...waiters.keys()];
    },
    isAlive: (writer) => {
      const file = [join(alive, writer), join(root, "gone", writer)].find((path) => existsSync(path));
      if (file === undefined) throw new Error(`no writer ${writer}`);
      return spawnSync("flock", ["--shared", "--nonblock", "--conflict-exit-code", "9", file, "true"]).status === 9;
    },
    close: async () => {
      clearInterval(timer);
      await Promise.all(
        [...waiters.values()].map(
          (waiter) =>
            new Promise<void>((resolve) => {
              waiter.once("close", () => resolve());
              kill(waiter.pid, "SIGKILL");
            }),
        ),
      );
    },
  };
}
