export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

/**
 * What a shell has to know: it asks the program itself, which answers with one line for each word, and a
 * tabulator before its meaning, or with `:files`. So a new version needs no new script.
 */
export const shellScripts: Readonly<Record<Shell, string>> = {
  bash: `# rsyncdirector: source this, or put it into a directory that bash-completion reads.
_rsyncdirector() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      compopt -o default
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("$1" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _rsyncdirector rsyncdirector
`,
  zsh: `#compdef rsyncdirector
# Put this into a directory of $fpath as _rsyncdirector, or source it after compinit.
_rsyncdirector() {
  local line
  local -a found
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ":files" ]]; then
      _files
      return
    fi
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -V rsyncdirector found
}
if [[ \${funcstack[1]} == _rsyncdirector ]]; then
  _rsyncdirector "$@"
else
  compdef _rsyncdirector rsyncdirector
fi
`,
  fish: `# Put this into ~/.config/fish/completions/rsyncdirector.fish, or source it.
function __rsyncdirector_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($before[1] __complete -- $before[2..] "$current" 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path "$current"
    else
        printf '%s\\n' $found
    end
end
complete -c rsyncdirector -f -a '(__rsyncdirector_complete)'
`,
};
