#!/bin/sh
# The forced command of a line in authorized_keys that `rsyncdirector authorize` makes:
#   gate.sh [--read-only DIR] [--write DIR] [--locks DIR] [--no-delete] [--plain-links]
# It reads what the client asks for (SSH_ORIGINAL_COMMAND), and does it only if it is one of three things: the operations
# of lock.sh on files in a directory of locks, rsync that sends from or writes into a directory, and the same rsync
# behind kernel locks. No word of the client is ever given to a shell: what is not understood is refused.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin
LC_ALL=C
export PATH LC_ALL
unset CDPATH ENV TMPDIR RSYNC_RSH RSYNC_PARTIAL_DIR RSYNC_PROTECT_ARGS RSYNC_OLD_ARGS RSYNC_ICONV RSYNC_CHECKSUM_LIST
set -f
IFS=' 	
'
gate_nl='
'
gate_home=${0%/*}

gate_refuse() {
  printf 'rsyncdirector-gate: refused: %s\n' "$*" >&2
  exit 126
}

# gate_within PATH LIST: whether the path is one of these directories or below it.
gate_within() {
  gate_dirs=$2
  while [ -n "$gate_dirs" ]; do
    gate_dir=${gate_dirs%%"$gate_nl"*}
    gate_dirs=${gate_dirs#*"$gate_nl"}
    case $1/ in "${gate_dir%/}"/*) return 0 ;; esac
  done
  return 1
}

# gate_has_dots PATH: whether a component of it is `..`.
gate_has_dots() { case /$1/ in */../*) return 0 ;; *) return 1 ;; esac; }

# gate_enter PATH: prints, with an x behind it, where this directory really is.
gate_enter() { cd -P -- "$1" 2>/dev/null && pwd -P && printf x; }

# gate_resolve PATH: sets gate_at to where the deepest directory on the way to PATH really is, and gate_tail to what
# follows. A link that is no way to a directory has no business there.
gate_resolve() {
  gate_at=$1 gate_tail=''
  while [ ! -d "$gate_at" ]; do
    [ ! -L "$gate_at" ] || gate_refuse "$gate_at is a symbolic link"
    gate_tail=${gate_at##*/}${gate_tail:+/$gate_tail}
    gate_at=${gate_at%/*}
    gate_at=${gate_at:-/}
  done
  gate_at=$(gate_enter "$gate_at") || gate_refuse "$1 cannot be entered"
  gate_at=${gate_at%"${gate_nl}x"}
  case $gate_at in *"$gate_nl"*) gate_refuse 'a directory with a line end in its name' ;; esac
}

# gate_tidy PATH: sets gate_path to it without slashes at its end, empty components and dots.
gate_tidy() {
  gate_path=$1
  while :; do
    case $gate_path in
      /) return ;;
      *//*) gate_path=${gate_path%%//*}/${gate_path#*//} ;;
      */./*) gate_path=${gate_path%%/./*}/${gate_path#*/./} ;;
      */.) gate_path=${gate_path%.} ;;
      */) gate_path=${gate_path%/} ;;
      *) return ;;
    esac
  done
}

# What the line in authorized_keys says.

gate_reads='' gate_writes='' gate_locks='' gate_deletes=yes gate_munge=--munge-links

gate_settings() {
  while [ $# -gt 0 ]; do
    case $1 in
      --no-delete) gate_deletes=no; shift; continue ;;
      --plain-links) gate_munge=''; shift; continue ;;
      --read-only | --write | --locks) [ $# -ge 2 ] || gate_refuse "its line in authorized_keys: $1 without a directory" ;;
      *) gate_refuse "its line in authorized_keys: $1 is not known" ;;
    esac
    case $2 in
      *[!A-Za-z0-9._/+@%=:,-]* | [!/]* | '') gate_refuse "its line in authorized_keys: $2 is no plain absolute path" ;;
    esac
    if gate_has_dots "$2"; then gate_refuse "its line in authorized_keys: $2 has a .."; fi
    gate_tidy "$2"
    case $1$gate_path in --write/ | --locks/) gate_refuse "its line in authorized_keys: $1 / would be everything" ;; esac
    case $1 in
      --locks) gate_locks=$gate_locks$gate_path$gate_nl ;;
      --write) gate_real "$gate_path"; gate_writes=$gate_writes$gate_at$gate_nl ;;
      --read-only) gate_real "$gate_path"; gate_reads=$gate_reads$gate_at$gate_nl ;;
    esac
    shift 2
  done
  # Whoever could write lock files with rsync could free those of others, and put links in their places.
  gate_list=$gate_locks
  while [ -n "$gate_list" ]; do
    gate_apart "${gate_list%%"$gate_nl"*}" 'is for locks'
    gate_list=${gate_list#*"$gate_nl"}
  done
  # Whoever could write here could let himself in without this gate.
  gate_apart "${HOME:-/}/.ssh" 'is for authorized_keys'
  gate_apart "$gate_home" 'has the gate, which authorized_keys names'
}

# gate_apart DIRECTORY WHY: refuses it in, or around, a directory that may be written into.
gate_apart() {
  gate_real "$1"
  gate_own=$gate_at
  gate_each=$gate_writes
  while [ -n "$gate_each" ]; do
    gate_dir_written=${gate_each%%"$gate_nl"*}
    gate_each=${gate_each#*"$gate_nl"}
    if gate_within "$gate_own" "$gate_dir_written$gate_nl" || gate_within "$gate_dir_written" "$gate_own$gate_nl"; then
      gate_refuse "$gate_own $2, and would be written into"
    fi
  done
}

# A directory that is missing now may be a link to anywhere in the next moment: nothing is found in it until it is there.
gate_real() {
  gate_resolve "$1"
  gate_at=${gate_at%/}${gate_tail:+/$gate_tail}
  gate_at=${gate_at:-/}
}

# gate_lock_file PATH: whether it lies right in a directory of locks.
gate_lock_file() {
  case $1 in
    *[[:cntrl:]]* | */ | */. | */..) return 1 ;;
    /*/*) gate_is_locks "${1%/*}" ;;
    *) return 1 ;;
  esac
}

gate_is_locks() {
  case $gate_nl$gate_locks in *"$gate_nl$1$gate_nl"*) return 0 ;; *) return 1 ;; esac
}

# Locks: `/bin/sh -s`. The script that the client sends is not read, for lock.sh is here as well; of its operations
# (src/ssh/shell-protocol.ts) the calls are.

gate_serve() {
  [ -n "$gate_locks" ] || gate_refuse 'this key may not use locks, and there is no shell'
  # A line without an end must not fill the memory.
  # shellcheck disable=SC3045 # not in POSIX, but in every shell that is anybody's /bin/sh
  ulimit -S -d 65536
  # shellcheck source=/dev/null
  . "$gate_home/lock.sh" || exit 126
  # shellcheck source=/dev/null
  . "$gate_home/doctor.sh" || exit 126
  rd_want_helper
  gate_served=no
  while IFS= read -r gate_line; do
    case $gate_line in
      '{') gate_operation ;;
      "printf 'RD1 %s UP\\n' "*)
        gate_nonce=${gate_line##* }
        gate_good_nonce
        printf 'RD1 %s UP\n' "$gate_nonce"
        ;;
      *) [ $gate_served = no ] || gate_refuse 'something else than an operation on locks' ;;
    esac
  done
  [ $gate_served = yes ] || gate_refuse 'a shell'
}

gate_good_nonce() {
  case $gate_nonce in *[!0-9a-f]*) gate_refuse 'a nonce that is none' ;; esac
  [ ${#gate_nonce} -eq 16 ] || gate_refuse 'a nonce that is none'
}

# Nothing is done before all of the operation is there.
gate_operation() {
  IFS= read -r gate_line || exit 1
  case $gate_line in "rd_nonce="*" rd_said=") ;; *) gate_refuse 'a group of commands' ;; esac
  gate_nonce=${gate_line#rd_nonce=}
  gate_nonce=${gate_nonce%% *}
  gate_good_nonce
  gate_steps=''
  while :; do
    IFS= read -r gate_line || exit 1
    [ "$gate_line" != '} </dev/null' ] || break
    gate_steps=$gate_steps$gate_line$gate_nl
    [ ${#gate_steps} -le 2097152 ] || gate_refuse 'an operation that is too long'
  done
  IFS= read -r gate_line || exit 1
  [ "$gate_line" = "printf '%sRD1 %s END\\n' \"\$rd_said\" $gate_nonce" ] || gate_refuse 'an operation without its end'
  gate_served=yes
  # shellcheck disable=SC2034 # lock.sh reads it
  rd_nonce=$gate_nonce
  rd_said=''
  gate_apart=no
  while :; do
    case $gate_steps in
      "($gate_nl"*"${gate_nl}printf %s \"\$rd_said\"$gate_nl)$gate_nl") ;;
      *) break ;;
    esac
    gate_apart=yes
    gate_steps=${gate_steps#"($gate_nl"}
    gate_steps=${gate_steps%"printf %s \"\$rd_said\"$gate_nl)$gate_nl"}
  done
  if [ $gate_apart = yes ]; then
    (gate_carry_out; printf %s "$rd_said") </dev/null || exit
    rd_said=''
  else
    gate_carry_out </dev/null
  fi
  printf '%sRD1 %s END\n' "$rd_said" "$gate_nonce"
}

# Lists of calls with && between them, the last of which may be a group in braces.
gate_carry_out() {
  gate_skip=no gate_group=no
  while [ -n "$gate_steps" ]; do
    gate_step=${gate_steps%%"$gate_nl"*}
    gate_steps=${gate_steps#*"$gate_nl"}
    gate_more=no
    case $gate_step in
      '{') gate_group=yes; continue ;;
      '}') gate_group=no gate_skip=no; continue ;;
      *' &&') gate_more=yes gate_step=${gate_step%' &&'} ;;
    esac
    gate_done=yes
    [ $gate_skip = yes ] || gate_call "$gate_step" || gate_done=no
    if [ $gate_more = yes ]; then [ $gate_done = yes ] || gate_skip=yes
    elif [ $gate_group = no ]; then gate_skip=no; fi
  done
}

# gate_call LINE: a name and quoted words, as src/lock/transport/script-transport.ts writes them.
gate_call() {
  gate_left=$1
  gate_name=${gate_left%% *}
  gate_left=${gate_left#"$gate_name"}
  set --
  while [ -n "$gate_left" ]; do
    case $gate_left in
      ' 0' | ' 0 '*) gate_left=${gate_left#' 0'}; set -- "$@" 0; continue ;;
      " '"*"'"*) gate_left=${gate_left#" '"} ;;
      *) gate_refuse 'a command that is no call' ;;
    esac
    gate_word=''
    while :; do
      case $gate_left in *"'"*) ;; *) gate_refuse 'a word without its end' ;; esac
      gate_word=$gate_word${gate_left%%"'"*}
      gate_left=${gate_left#*"'"}
      case $gate_left in "\\''"*) gate_word=$gate_word"'" gate_left=${gate_left#"\\''"} ;; *) break ;; esac
    done
    set -- "$@" "$gate_word"
  done
  # One letter for each word, see gate_fits.
  case $gate_name in
    true | rd_facts) gate_spec='' ;;
    rd_check | rd_free | rd_clear | rd_holds | rd_beside) gate_spec='np*' ;;
    rd_fingerprint) gate_spec=np ;;
    rd_acquire | rd_promote) gate_spec=nptll ;;
    rd_settle) gate_spec='nptlllp*' ;;
    rd_release) gate_spec=nptE ;;
    rd_beat) gate_spec=nptS ;;
    rd_fence) gate_spec=npt ;;
    rd_break) gate_spec=nptm ;;
    rd_breakforeign) gate_spec=nptm ;;
    rd_probe) gate_spec=nd ;;
    rd_space) gate_spec='na*' ;;
    *) gate_refuse "the command $gate_name" ;;
  esac
  gate_bad='' gate_paths=0
  gate_fits "$@" || gate_refuse "$gate_name with words that do not fit"
  if [ -z "$gate_bad" ]; then "$gate_name" "$@"; return; fi
  # Every number gets this answer: none of them must look as if nothing had been found.
  gate_number=$1
  while [ $gate_paths -gt 0 ]; do
    rd_say "$gate_number ERR the gate of this key allows no locks at $gate_bad"
    gate_number=$((gate_number + 1)) gate_paths=$((gate_paths - 1))
  done
  return 1
}

# gate_fits WORD...: whether the words are of the kinds in gate_spec; a star repeats, a capital may be missing. A path
# that is not allowed fits, and is put into gate_bad.
gate_fits() {
  for gate_word in "$@"; do
    [ -n "$gate_spec" ] || return 1
    gate_kind=${gate_spec%"${gate_spec#?}"}
    case $gate_spec in ?\*) ;; *) gate_spec=${gate_spec#?} ;; esac
    case $gate_kind in p | d | a) gate_paths=$((gate_paths + 1)) ;; esac
    case $gate_kind in
      n | m) case $gate_word in '' | *[!0-9]* | ????????????*) return 1 ;; esac ;;
      t) case $gate_word in *[!0-9A-Za-z_-]*) return 1 ;; esac; [ ${#gate_word} -le 64 ] || return 1 ;;
      p) gate_lock_file "$gate_word" || gate_bad=$gate_word ;;
      d) gate_is_locks "$gate_word" || gate_bad=$gate_word ;;
      a) if gate_has_dots "$gate_word" || ! gate_within "$gate_word" "$gate_reads$gate_writes$gate_locks"; then
           gate_bad=$gate_word
         fi ;;
      l | S) [ ${#gate_word} -le 4096 ] || return 1 ;;
      E) [ "$gate_word" = ended ] || return 1 ;;
    esac
  done
  case $gate_spec in '' | ?\* | [A-Z]) return 0 ;; *) return 1 ;; esac
}

# The hold wrapper of a push: `sh -c '…' rd …` (src/rsync/hold-wrapper.ts). Its functions have to be these very ones.

# shellcheck disable=SC2016 # it is text
gate_functions='f() { echo "RDHOLD $1" >&2; exit $2; }; t() { [ -L "$2" ] && f unable 77; [ -e "$2" ] || (umask 022; : >>"$2") 2>/dev/null; [ -f "$2" ] || f unable 77; if [ -w "$2" ]; then eval "exec $1>>\"\$2\""; elif [ -r "$2" ]; then eval "exec $1<\"\$2\""; else f unable 77; fi; flock -n $3 $1 || { sleep 1; flock -n $3 $1; }; case $? in 0) ;; 1) f busy 75 ;; *) f unable 77 ;; esac; }; l() { grep -q -F -e "$2" -- "$1" || f lost 76; }; d() { grep -q -F -e "dead $2;" -- "$1"; case $? in 0) f lost 76 ;; 1) ;; *) f unable 77 ;; esac; }'

# gate_hold TEXT: takes and looks at what the text of the wrapper says.
gate_hold() {
  case $1 in "$gate_functions; "*'; exec rsync "$@"' | "$gate_functions; "*'; exec /usr/bin/rsync "$@"') ;;
    *) gate_refuse 'a program other than rsync, or a director of another version: the gate has to be as new' ;;
  esac
  gate_left=${1#"$gate_functions; "}
  gate_left=${gate_left%'; exec '*}'; '
  eval "$gate_functions"
  while [ -n "$gate_left" ]; do
    gate_part=${gate_left%%'; '*}
    gate_left=${gate_left#*'; '}
    case $gate_part in
      't '[3-9]' "'*'" -'[sx])
        gate_word=${gate_part#t ? }
        gate_unquote "${gate_word% -?}"
        gate_lock_file "$gate_word" || gate_refuse "a hold lock at $gate_word"
        gate_fd=${gate_part#t }
        t "${gate_fd%% *}" "$gate_word" "${gate_part##* }"
        ;;
      [ld]' "'*'" "'*'"')
        gate_token=${gate_part##* }
        gate_token=${gate_token#'"'}
        gate_token=${gate_token%'"'}
        case $gate_token in '' | *[!0-9A-Za-z_-]*) gate_refuse 'a token that is none' ;; esac
        gate_word=${gate_part#? }
        gate_unquote "${gate_word% *}"
        gate_lock_file "$gate_word" || gate_refuse "a lock at $gate_word"
        case $gate_part in l*) l "$gate_word" "$gate_token" ;; *) d "$gate_word" "$gate_token" ;; esac
        ;;
      *) gate_refuse 'a wrapper that is not understood' ;;
    esac
  done
}

# gate_unquote WORD: sets gate_word to what stands between the quotes.
gate_unquote() {
  gate_word=${1#'"'}
  gate_word=${gate_word%'"'}
  # shellcheck disable=SC2016 # it is text
  case $gate_word in
    '$(printf %b "'*'")')
      gate_word=${gate_word#'$(printf %b "'}
      gate_word=${gate_word%'")'}
      case $gate_word in *[!\\0-7]*) gate_refuse 'a wrapper that is not understood' ;; esac
      gate_word=$(printf %b "$gate_word"; printf x)
      gate_word=${gate_word%x}
      ;;
    *[!A-Za-z0-9_./@%+=:,-]*) gate_refuse 'a wrapper that is not understood' ;;
  esac
}

# rsync

# What means something to a shell, and what rsync puts a backslash before.
gate_special='[][ \\"'\''$`;&|<>()*?{}!#]'

# gate_split TEXT: sets gate_list to its words, one a line, without the backslashes that rsync has put in for a shell.
gate_split() {
  case $1 in *[[:cntrl:]]*) gate_refuse 'control characters' ;; esac
  gate_left=$1' ' gate_list='' gate_word=''
  while [ -n "$gate_left" ]; do
    # shellcheck disable=SC2295 # it is a pattern
    gate_part=${gate_left%%$gate_special*}
    gate_word=$gate_word$gate_part
    gate_left=${gate_left#"$gate_part"}
    case $gate_left in
      ' '*)
        [ -z "$gate_word" ] || gate_list=$gate_list$gate_word$gate_nl
        gate_word='' gate_left=${gate_left#' '}
        ;;
      \\?*)
        gate_left=${gate_left#?}
        gate_word=$gate_word${gate_left%"${gate_left#?}"}
        gate_left=${gate_left#?}
        ;;
      *) gate_refuse 'characters that only a shell understands' ;;
    esac
  done
}

# gate_rsync WORD...: what follows `rsync` on its command line.
gate_rsync() {
  [ "${1:-}" = --server ] || gate_refuse 'rsync by itself'
  shift
  gate_side='write'
  if [ "${1:-}" = --sender ]; then gate_side='read'; shift; fi
  case $gate_side$gate_reads in read) gate_refuse 'this key may not read' ;; esac
  case $gate_side$gate_writes in write) gate_refuse 'this key may not write' ;; esac
  gate_words=$# gate_dry=no gate_aside=''
  # What has been looked at goes behind the rest.
  while [ "$gate_words" -gt 0 ] && [ "$1" != . ]; do
    case $1 in
      --backup-dir | --temp-dir | --partial-dir | --link-dest | --copy-dest | --compare-dest)
        [ "$gate_words" -ge 2 ] || gate_refuse "$1 without a directory"
        gate_aside=$gate_aside$2$gate_nl
        set -- "$@" "$1" "$2"
        shift 2
        gate_words=$((gate_words - 2))
        continue
        ;;
      --backup-dir=* | --temp-dir=* | --partial-dir=* | --link-dest=* | --copy-dest=* | --compare-dest=*)
        gate_aside=$gate_aside${1#*=}$gate_nl
        ;;
      --*) gate_long "$1" ;;
      -*) gate_short "${1#-}" ;;
      *) gate_refuse "the word $1" ;;
    esac
    set -- "$@" "$1"
    shift
    gate_words=$((gate_words - 1))
  done
  [ "$gate_words" -ge 2 ] || gate_refuse 'rsync without paths'
  shift
  gate_words=$((gate_words - 1))
  if [ $gate_side = read ]; then gate_send "$@"; else gate_receive "$@"; fi
}

# gate_send PATH... OPTION...: the first gate_words are paths.
gate_send() {
  # Such a directory means nothing to who sends.
  [ -z "$gate_aside" ] || gate_refuse "the directory ${gate_aside%%"$gate_nl"*}"
  gate_sources=''
  while [ "$gate_words" -gt 0 ]; do
    gate_absolute "$1"
    # rsync follows a link only if more comes after its name.
    gate_last=''
    case $1 in */ | */.) ;; *) gate_last=/${gate_path##*/} gate_path=${gate_path%/*} ;; esac
    gate_resolve "${gate_path:-/}"
    gate_path=${gate_at%/}${gate_tail:+/$gate_tail}$gate_last
    gate_within "${gate_path:-/}" "$gate_reads" || gate_refuse "reading $1"
    gate_sources=$gate_sources$1$gate_nl
    shift
    gate_words=$((gate_words - 1))
  done
  IFS=$gate_nl
  # shellcheck disable=SC2086 # each line is a word
  exec rsync --server --sender ${gate_munge:+"$gate_munge"} "$@" . $gate_sources
}

# gate_receive PATH OPTION...: rsync is started in the directory itself, so that nobody can put a link in its place.
gate_receive() {
  [ "$gate_words" -eq 1 ] || gate_refuse 'more than one destination'
  gate_given=$1
  gate_absolute "$1"
  shift
  gate_resolve "$gate_path"
  gate_within "$gate_at" "$gate_writes" || gate_refuse "writing to $gate_given"
  if [ -n "$gate_tail" ]; then
    case $gate_dry$gate_given in
      yes* | *[!/]) gate_refuse "$gate_given is no directory that is there" ;;
    esac
    case $gate_tail in */*) gate_refuse "$gate_given is no directory that is there" ;; esac
    # Several rsyncs of one sync may come at the same time: then another one has made it.
    mkdir -p -- "$gate_at/$gate_tail" || exit 126
  fi
  cd -P -- "$gate_at${gate_tail:+/$gate_tail}" || exit 126
  gate_at=$(pwd -P)
  gate_within "$gate_at" "$gate_writes" || gate_refuse "writing to $gate_given"
  gate_asides "$gate_at"
  exec rsync --server ${gate_munge:+"$gate_munge"} "$@" . ./
}

# gate_absolute PATH: sets gate_path to it, tidied up.
gate_absolute() {
  case $1 in /*) ;; *) gate_refuse "$1: only absolute paths are allowed" ;; esac
  if gate_has_dots "$1"; then gate_refuse "$1 has a .."; fi
  gate_tidy "$1"
}

# gate_asides BASE: whether every directory of gate_aside is one that may be written into.
gate_asides() {
  gate_base=$1
  while [ -n "$gate_aside" ]; do
    gate_given=${gate_aside%%"$gate_nl"*}
    gate_aside=${gate_aside#*"$gate_nl"}
    if gate_has_dots "$gate_given"; then gate_refuse "$gate_given has a .."; fi
    case $gate_given in /*) gate_tidy "$gate_given" ;; *) gate_tidy "$gate_base/$gate_given" ;; esac
    gate_resolve "$gate_path"
    gate_within "$gate_at" "$gate_writes" || gate_refuse "the directory $gate_given"
  done
}

# gate_short LETTERS: options of one letter as one rsync sends them to another; the last is what the client can do.
gate_short() {
  case $1 in
    '') gate_refuse 'the word -' ;;
    @-1 | @[0-9]* | B[0-9]*)
      case ${1#?} in *[!0-9]*) [ "$1" = @-1 ] || gate_refuse "the option -$1" ;; esac
      return
      ;;
  esac
  gate_letters=${1%%e*}
  case $1 in
    *e*)
      case ${1#*e} in *[!0-9A-Za-z.]*) gate_refuse "the option -$1" ;; .* | [0-9]*.*) ;; *) gate_refuse "the option -$1" ;; esac
      ;;
  esac
  case $gate_letters in
    *s*) gate_refuse 'words that it could not see (-s, for paths with blanks or other special characters)' ;;
    *[!vnqlWHAXogDtpErzcxSdRimIuOJUNby8]*) gate_refuse "one of the options -$gate_letters" ;;
    *n*) gate_dry=yes ;;
  esac
}

# gate_long OPTION: those that can neither run a program, nor leave the directory, nor follow links out of it.
gate_long() {
  case $1 in
    --delete | --delete-before | --delete-during | --delete-delay | --delete-after | --delete-excluded | --force | --delete-missing-args)
      [ $gate_deletes = yes ] || [ $gate_side = read ] || gate_refuse "$1: this key may not delete"
      ;;
    --remove-source-files | --copy-unsafe-links) [ $gate_side = write ] || gate_refuse "the option $1" ;;
    --numeric-ids | --list-only | --dirs | --no-r | --no-implied-dirs | --ignore-errors | --ignore-missing-args) ;;
    --size-only | --existing | --ignore-existing | --stats | --partial | --inplace | --append | --preallocate | --fsync) ;;
    --open-noatime | --use-qsort | --safe-links | --fake-super | --super | --delay-updates | --devices | --specials) ;;
    --no-specials | --no-devices | --msgs2stderr | --no-msgs2stderr | --new-compress | --old-compress | --mkpath) ;;
    --timeout=* | --bwlimit=* | --max-delete=* | --min-size=* | --max-size=* | --compress-level=* | --checksum-seed=* | --stop-at=*)
      case ${1#*=} in *[!0-9A-Za-z.:/T-]*) gate_refuse "the option $1" ;; esac
      ;;
    --compress-choice=* | --checksum-choice=* | --iconv=* | --skip-compress=* | --log-format=* | --info=* | --debug=*)
      case ${1#*=} in *[!0-9A-Za-z%.,/_-]*) gate_refuse "the option $1" ;; esac
      ;;
    --usermap=* | --groupmap=* | --suffix=*) case $1 in */*) gate_refuse "the option $1" ;; esac ;;
    *) gate_refuse "the option $1" ;;
  esac
}

gate_words_of() {
  gate_split "$1"
  IFS=$gate_nl
  # shellcheck disable=SC2086 # each line is a word
  set -- $gate_list
  IFS=' '
  gate_rsync "$@"
}

gate_settings "$@"
gate_asked=${SSH_ORIGINAL_COMMAND-}
case $gate_asked in
  '/bin/sh -s') gate_serve ;;
  'rsync --server '*) gate_words_of "${gate_asked#rsync }" ;;
  '/usr/bin/rsync --server '*) gate_words_of "${gate_asked#/usr/bin/rsync }" ;;
  "sh -c '"*"' rd --server "*)
    gate_text=${gate_asked#"sh -c '"}
    gate_rest=${gate_text#*"' rd "}
    gate_text=${gate_text%%"'"*}
    [ "sh -c '$gate_text' rd $gate_rest" = "$gate_asked" ] || gate_refuse 'a command that is not understood'
    [ -n "$gate_locks" ] || gate_refuse 'this key may not use locks'
    gate_hold "$gate_text"
    gate_words_of "$gate_rest"
    ;;
  '') gate_refuse 'a login: this key is for rsyncdirector alone' ;;
  *) gate_refuse 'a command that is neither rsync nor an operation on locks' ;;
esac
