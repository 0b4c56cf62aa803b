#!/bin/sh
# Operations on lock files. This text is fed to `/bin/sh -s`, here or on another host; calls of the
# functions follow it, each in a subshell that sets rd_nonce. An answer is a line
#   RD1 <nonce> <number of the claim or path> <STATUS> [detail]
# Everything that changes P is done while P.guard is locked. A look needs no guard: P appears by
# link(2) and goes by unlink(2), so it is there as a whole or not at all.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
set -f
IFS=' 	
'
rd_nl='
'
rd_nonce=''

rd_say() { printf 'RD1 %s %s\n' "$rd_nonce" "$*"; }

# rd_kind PATH: sets rd_is to FILE, NONE, or "ERR code". NONE is not yet a proof of absence.
rd_kind() {
  rd_dir=${1%/*}
  rd_dir=${rd_dir:-/}
  if [ ! -d "$rd_dir" ]; then rd_is='ERR no-directory'
  elif [ ! -x "$rd_dir" ]; then rd_is='ERR no-search'
  elif [ -L "$1" ]; then rd_is='ERR symlink'
  elif [ -f "$1" ]; then rd_is=FILE
  elif [ -d "$1" ]; then rd_is='ERR directory'
  elif [ -e "$1" ]; then rd_is='ERR special'
  else rd_is=NONE; fi
}

# rd_absent PATH...: true when the kernel says of every path that no such file exists. The tests above
# cannot tell that from an input/output error or a stale file handle; the message of an open can, and
# it costs one fork for any number of paths. A shell with other words for it is not believed: stat is.
rd_absent() {
  [ $# -gt 0 ] || return 0
  rd_count_absent "$#" "$(for rd_p in "$@"; do true <"$rd_p"; done 2>&1)" ||
    rd_count_absent "$#" "$(stat -c x -- "$@" 2>&1 >/dev/null)"
}

# rd_count_absent COUNT LINES: whether there are so many lines and each says that there is no such file.
rd_count_absent() {
  rd_left=$2 rd_count=0
  while [ -n "$rd_left" ]; do
    case ${rd_left%%"$rd_nl"*} in
      *': No such file or directory' | *': No such file' | *': no such file') rd_count=$((rd_count + 1)) ;;
      *) return 1 ;;
    esac
    case $rd_left in
      *"$rd_nl"*) rd_left=${rd_left#*"$rd_nl"} ;;
      *) rd_left='' ;;
    esac
  done
  [ "$rd_count" -eq "$1" ]
}

# rd_with KIND COMMAND PATH...: calls the command with those paths that rd_kinds has as KIND.
rd_with() {
  rd_want=$1 rd_call=$2
  shift 2
  rd_given=$# rd_rest=$rd_kinds
  for rd_p in "$@"; do
    [ "${rd_rest%%"$rd_nl"*}" != "$rd_want" ] || set -- "$@" "$rd_p"
    rd_rest=${rd_rest#*"$rd_nl"}
  done
  shift "$rd_given"
  "$rd_call" "$@"
}

# rd_stat PATH...: sets rd_stats to a line "mtime size" per path; fails when one has gone meanwhile.
rd_stat() {
  rd_stats=
  [ $# -gt 0 ] || return 0
  rd_stats=$(stat -c '%Y %s' -- "$@" 2>/dev/null) || return 1
  rd_now=$(date +%s)
}

# rd_describe NUMBER PATH STATUS: adds what is known of the file to rd_out and drops its line from
# rd_stats. More than 4096 bytes are never one of our locks and are not read.
rd_describe() {
  rd_line=${rd_stats%%"$rd_nl"*}
  rd_stats=${rd_stats#*"$rd_nl"}
  rd_first='' rd_second=''
  if [ "${rd_line#* }" -le 4096 ]; then
    { IFS= read -r rd_first; IFS= read -r rd_second; } 2>/dev/null <"$2"
    [ -e "$2" ] || return 1
  fi
  rd_out="${rd_out}RD1 $rd_nonce $1 $3 ${rd_line% *} $rd_now${rd_nl}RD1 $rd_nonce $1 FIRST $rd_first${rd_nl}RD1 $rd_nonce $1 SECOND $rd_second$rd_nl"
}

# rd_look NUMBER PATH...: puts the state of every path into rd_out; fails when something changed during it.
rd_look() {
  rd_number=$1
  shift
  rd_out='' rd_kinds=''
  for rd_path in "$@"; do
    rd_kind "$rd_path"
    rd_kinds=$rd_kinds$rd_is$rd_nl
  done
  rd_with NONE rd_absent "$@" || return 1
  rd_with FILE rd_stat "$@" || return 1
  for rd_path in "$@"; do
    rd_is=${rd_kinds%%"$rd_nl"*}
    rd_kinds=${rd_kinds#*"$rd_nl"}
    case $rd_is in
      NONE) rd_out="${rd_out}RD1 $rd_nonce $rd_number ABSENT$rd_nl" ;;
      FILE) rd_describe "$rd_number" "$rd_path" HELD || return 1 ;;
      *) rd_out="${rd_out}RD1 $rd_nonce $rd_number $rd_is$rd_nl" ;;
    esac
    rd_number=$((rd_number + 1))
  done
}

# rd_check NUMBER PATH...: answers ABSENT, HELD or ERR for every path, numbered from NUMBER.
rd_check() {
  for rd_try in 1 2 3; do
    if rd_look "$@"; then
      printf '%s' "$rd_out"
      return 0
    fi
  done
  rd_number=$1
  shift
  for rd_path in "$@"; do
    rd_say "$rd_number ERR unproven after $rd_try looks"
    rd_number=$((rd_number + 1))
  done
}

# rd_tell STATUS: answers with the content of the file at rd_path.
rd_tell() {
  rd_out=''
  if rd_stat "$rd_path" && rd_describe "$rd_number" "$rd_path" "$1"; then
    printf '%s' "$rd_out"
  else
    rd_say "$rd_number ERR unproven"
  fi
}

# rd_mine: whether the file at rd_path carries rd_token.
rd_mine() {
  rd_first='' rd_second=''
  { IFS= read -r rd_first; IFS= read -r rd_second; } 2>/dev/null <"$rd_path"
  case $rd_second in
    *"\"token\":\"$rd_token\""*) return 0 ;;
    *) return 1 ;;
  esac
}

# rd_guarded COMMAND: runs it while the guard of rd_path is locked; the kernel unlocks it when this
# shell dies. The guard file is never deleted: that would let two shells lock two different files.
# Another user's guard may be read-only for us, which is enough for flock.
rd_guarded() {
  rd_kind "$rd_path"
  case $rd_is in ERR*) rd_say "$rd_number $rd_is"; return 1 ;; esac
  rd_guard=$rd_path.guard
  rd_kind "$rd_guard"
  case $rd_is in ERR*) rd_say "$rd_number ERR guard $rd_is"; return 1 ;; esac
  rd_opened=no
  if [ -e "$rd_guard" ] && [ ! -w "$rd_guard" ]; then
    rd_locked "$1" 2>/dev/null 9<"$rd_guard"
  else
    rd_locked "$1" 2>/dev/null 9>>"$rd_guard"
  fi
  rd_status=$?
  [ $rd_opened = yes ] || rd_fail guard "$( (: 9>>"$rd_guard") 2>&1)"
  return $rd_status
}

rd_locked() {
  rd_opened=yes
  # Bounds the reading of a huge file that somebody put in the place of a lock, here in seconds of CPU.
  # shellcheck disable=SC3045 # not in POSIX, but in every shell that is anybody's /bin/sh
  ulimit -t 10
  flock -w 5 9
  case $? in
    0) "$1" ;;
    1) rd_say "$rd_number BUSY"; return 1 ;;
    *) rd_say "$rd_number ERR no-flock"; return 1 ;;
  esac
}

rd_fail() { rd_say "$rd_number ERR $1 ${2%%"$rd_nl"*}"; }

# rd_acquire NUMBER PATH TOKEN LINE LINE: answers ACQUIRED, HELD, BUSY or ERR; true when the lock is ours.
rd_acquire() {
  rd_number=$1 rd_path=$2 rd_token=$3 rd_content=$4$rd_nl$5$rd_nl
  rd_guarded rd_take
}

rd_take() {
  rd_kind "$rd_path"
  case $rd_is in
    FILE)
      if rd_mine; then rd_say "$rd_number ACQUIRED"; return 0; fi
      rd_tell HELD
      return 1
      ;;
    ERR*) rd_say "$rd_number $rd_is"; return 1 ;;
  esac
  rd_temp=$rd_path.tmp.$rd_token
  [ ! -e "$rd_temp" ] || rm -f -- "$rd_temp"
  if ! rd_write; then
    rd_why=$(rd_write 2>&1)
    rm -f -- "$rd_temp"
    rd_fail write "$rd_why"
    return 1
  fi
  # After a power failure there is the whole file or none; a sync that takes no operands does no harm.
  sync "$rd_temp"
  # The second try is there for its words, and if it succeeds the lock is ours all the same.
  if ln -- "$rd_temp" "$rd_path" || rd_why=$(ln -- "$rd_temp" "$rd_path" 2>&1); then
    rm -f -- "$rd_temp"
    rd_say "$rd_number ACQUIRED"
    return 0
  fi
  rm -f -- "$rd_temp"
  rd_kind "$rd_path"
  case $rd_is in
    FILE) rd_tell HELD ;;
    *) rd_fail link "$rd_why" ;;
  esac
  return 1
}

# A full disk may cut the content short without a word from printf: what was written is read again.
rd_write() {
  printf '%s' "$rd_content" >"$rd_temp" &&
    { IFS= read -r rd_first && IFS= read -r rd_second; } <"$rd_temp" &&
    [ "$rd_first$rd_nl$rd_second$rd_nl" = "$rd_content" ]
}

# rd_release NUMBER PATH TOKEN: answers RELEASED, ABSENT, LOST (another's file is there), BUSY or ERR.
rd_release() {
  rd_number=$1 rd_path=$2 rd_token=$3
  rd_guarded rd_drop
}

rd_drop() {
  rd_kind "$rd_path"
  case $rd_is in
    NONE) if rd_absent "$rd_path"; then rd_say "$rd_number ABSENT"; else rd_fail unproven; fi ;;
    FILE)
      if ! rd_mine; then rd_tell LOST; return; fi
      rm -f -- "$rd_path" || rd_why=$(rm -f -- "$rd_path" 2>&1)
      if [ -e "$rd_path" ]; then rd_fail remove "$rd_why"; else rd_say "$rd_number RELEASED"; fi
      ;;
    *) rd_say "$rd_number $rd_is" ;;
  esac
}
