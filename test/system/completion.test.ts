import { chmod, mkdir, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { type Shell, shellScripts } from "../../src/cli/completion/shell-scripts.ts";
import { findProgram } from "../../src/process/find-program.ts";
import { builtProgram } from "../support/director-process.ts";
import { makeInstance } from "../support/instance.ts";

const job = (id: string) => ({ id, type: "local", actions: [{ action: "command", id: "say", command: "/bin/true" }] });

/** In zsh a terminal is needed, for completion is a part of its line editor. */
const zshSession = (directory: string) => `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; unset zle_bracketed_paste; stty -echo columns 200; fpath=(${directory}/zsh $fpath)'
zpty -w shell 'autoload -Uz compinit; compinit -u -D; print ready$((1+1))'
zpty -r -m shell said '*ready2*'
zpty -w -n shell 'rsyncdirector pause '$'\\t'
zpty -r -m shell said '*photos*'
print -r -- "$said"
zpty -w -n shell $'\\x15rsyncdirector canc\\t'
zpty -r -m shell said '*cancel*'
print -r -- "$said"
zpty -d shell
`;

const bashSession = `
source "$1/bash"
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rsyncdirector rsyncdirector; printf '%s\\n' "\${COMPREPLY[@]}"; }
ask rsyncdirector pause ""
ask rsyncdirector canc
ask rsyncdirector status --wat
`;

const fishSession = `
source $argv[1]/fish
complete -C "rsyncdirector pause "
complete -C "rsyncdirector canc"
complete -C "rsyncdirector status --wat"
`;

describe("completion", () => {
  let directory: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(async () => {
    const instance = await makeInstance({ jobs: [job("home"), job("photos")] });
    directory = instance.path("completion");
    await mkdir(`${directory}/bin`, { recursive: true });
    await mkdir(`${directory}/zsh`);
    await writeFile(`${directory}/bin/rsyncdirector`, `#!/bin/sh\nexec "${process.execPath}" "${builtProgram}" "$@"\n`);
    await chmod(`${directory}/bin/rsyncdirector`, 0o755);
    await writeFile(`${directory}/bash`, shellScripts.bash);
    await writeFile(`${directory}/fish`, shellScripts.fish);
    await writeFile(`${directory}/zsh/_rsyncdirector`, shellScripts.zsh);
    env = {
      PATH: `${directory}/bin:${process.env["PATH"]}`,
      HOME: directory,
      TERM: "xterm",
      RSYNCDIRECTOR_CONFIG: instance.configFile,
    };
  });

  const has = (shell: Shell) => findProgram(shell, process.env["PATH"] ?? "") !== undefined;

  it("works in bash", async () => {
    const { stdout } = await execa("bash", ["--norc", "-c", bashSession, "bash", directory], { env, extendEnv: false });
    expect(stdout.split("\n")).toEqual(["home", "photos", "cancel", "--watch"]);
  });

  it("works in fish, with what each word means", async (context) => {
    if (!has("fish")) context.skip("fish is not installed");
    const { stdout } = await execa("fish", ["--no-config", "-c", fishSession, directory], { env, extendEnv: false });
    expect(stdout.split("\n").map((line) => line.split("\t")[0])).toEqual(["home", "photos", "cancel", "--watch"]);
    expect(stdout).toContain("home\tsay");
  });

  it("works in zsh, with what each word means", async (context) => {
    if (!has("zsh")) context.skip("zsh is not installed");
    const { stdout } = await execa("zsh", ["-f", "-c", zshSession(directory)], { env, extendEnv: false });
    expect(stdout).toMatch(/home +-- say/);
    expect(stdout).toMatch(/photos/);
    expect(stdout).toContain("rsyncdirector cancel");
  });
});
