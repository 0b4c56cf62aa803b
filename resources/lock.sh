#!/bin/sh
# Operations on lock files. This text is fed to `/bin/sh -s`, here or on another host; calls of the
# functions follow it, each after rd_nonce was set. An answer is a line
#   RD1 <nonce> <number of the claim or path> <STATUS> [detail]
# What every run of a job needs (looks, claims, signs of life, promotions, releases) is called in this shell itself: a
# subshell would take a third of the time. Hence nothing there may end the shell, read what has no bound, or rely on a
# variable that it has not set. The rest is called in subshells.
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
# shellcheck disable=SC3045 # not in POSIX, but in every shell that is anybody's /bin/sh
rd_data=$(ulimit -S -d)

# Answers are gathered, and printed when all is done: each write wakes up a server and a client.
rd_said=''
rd_say() { rd_said="${rd_said}RD1 $rd_nonce $*$rd_nl"; }

# The helper: one Perl that stays beside a shell that stays, and does what would take a program each time: half a
# millisecond to start it, less than a third of that to ask. Only the shell decides; the helper is told what to do. While it
# has the guard locked it makes every change itself, so that none is made without the guard, whichever of the two dies. A
# shell for one operation has none, nor has one where Perl is missing.
# rd_helper: none, wanted, starting, or at-work. rd_helped: whether it has the guard.
rd_helper=none rd_helped=no

# rd_want_helper: called once by whoever keeps the shell.
rd_want_helper() { rd_helper=wanted; }

# An order is a line "NAME NUMBER COUNT" and COUNT lines; it is answered with "NUMBER" when it was carried out, else
# with "NUMBER WHY". NEW FILE LINE LINE: a file that is on the disk when it is answered. LOCK FILE: until UNLOCK. LINK FILE
# NAME. PUT FILE LINE LINE: over what it has. TOUCH FILE. REPLACE FILE NAME LINE: by way of FILE. REMOVE FILE...: the first
# must be gone. HAS FILE TEXT...: in its second line; WHY is "has" and a 1 or 0 for each.
# It ends with its shell, and the programs of that shell: nobody is left then who could write into its standard input. Its
# name says that it is ready.
# shellcheck disable=SC2016 # it is Perl
rd_helper_program='
use strict;
use Errno qw(ENOENT EWOULDBLOCK);
use Fcntl qw(:DEFAULT :flock);
my @locked;
sub put {
  my ($how, $file, @lines) = @_;
  my $text = join "", map { "$_\n" } @lines;
  sysopen my $to, $file, O_WRONLY | O_NOFOLLOW | $how or return "open: $!";
  my $count = syswrite $to, $text;
  return "write: $!" unless defined $count;
  return "write: cut short" unless $count == length $text;
  return close $to ? "" : "close: $!";
}
sub lock_file {
  my ($file) = @_;
  my $to;
  my $how = O_NOFOLLOW | O_NONBLOCK;
  sysopen $to, $file, O_WRONLY | $how or sysopen $to, $file, O_RDONLY | $how or return "open: $!";
  flock $to, LOCK_EX | LOCK_NB or return $!{EWOULDBLOCK} ? "busy" : "flock: $!";
  push @locked, $to;
  return "";
}
my %orders = (
  NEW => sub { put(O_CREAT | O_EXCL | O_SYNC, @_) },
  LOCK => sub { lock_file(@_) },
  UNLOCK => sub { @locked = (); return "" },
  LINK => sub { link($_[0], $_[1]) ? "" : "link: $!" },
  PUT => sub { put(0, @_) },
  TOUCH => sub { utime(undef, undef, $_[0]) ? "" : "touch: $!" },
  REPLACE => sub {
    my ($file, $name, $line) = @_;
    unlink $file;
    my $why = put(O_CREAT | O_EXCL, $file, $line);
    $why = "rename: $!" unless $why ne "" or rename $file, $name;
    unlink $file if $why ne "";
    return $why;
  },
  HAS => sub {
    my ($file, @texts) = @_;
    sysopen my $from, $file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK or return "open: $!";
    return "no file" unless -f $from;
    my $count = sysread $from, my $content, 4097;
    return "read: $!" unless defined $count;
    return "too long" if $count > 4096;
    return "cut short" unless $count == -s $from;
    my $line = (split /\n/, $content, 3)[1] // "";
    return "has " . join "", map { index($line, $_) < 0 ? 0 : 1 } @texts;
  },
  REMOVE => sub {
    my ($first, @more) = @_;
    unlink $first or $!{ENOENT} or return "remove: $!";
    unlink @more;
    return "";
  },
);
sub hear { my $line = <STDIN>; exit unless defined $line and chomp $line; return $line }
$0 = "rsyncdirector-lock-helper";
while (1) {
  my ($name, $number, $count) = split / /, hear();
  my $why = $orders{$name}->(map { hear() } 1 .. $count);
  syswrite STDOUT, $why eq "" ? "$number\n" : "$number $why\n";
}
'

# rd_hire: starts the helper. The two pipes to it are those of here-documents, opened once more to write; a shell
# that makes files of them, or a host without /proc, has no helper.
rd_hire() {
  rd_helper=none
  command -v perl >/dev/null || return
  rd_start_helper 2>/dev/null 3<<EOF 7<<EOF
x
EOF
x
EOF
}

rd_start_helper() {
  # The line in each has to be there: some shells take /dev/null for an empty document.
  [ -p /proc/self/fd/3 ] && [ -p /proc/self/fd/7 ] && IFS= read -r rd_line <&3 && IFS= read -r rd_line <&7 || return
  # A redirection that fails would end the shell if it were that of exec: it is tried first.
  { :; } 4>/proc/self/fd/3 || return
  exec 4>/proc/self/fd/3 5<&7
  # Neither of the two has the end of the other: so either learns that the other is gone. The end for the answers
  # is there before the helper is, since a pipe that nobody has open to write is at its end.
  {
    {
      unset PERL5OPT PERL5LIB PERLLIB PERL5DB PERL_UNICODE PERLIO
      exec perl -e "$rd_helper_program"
    } <&3 >&6 3<&- 4>&- 5<&- 6>&- 7<&- &
    rd_helper_id=$! rd_helper=starting rd_ordered=0 rd_owed=''
  } 6>/proc/self/fd/7
}

# rd_is_ready: whether the helper has said so. It is not waited for: a Perl that hangs at its start is none.
rd_is_ready() {
  rd_line=''
  { IFS= read -r rd_line; } 2>/dev/null <"/proc/$rd_helper_id/cmdline"
  case $rd_line in rsyncdirector-lock-helper*) rd_helper=at-work ;; *) return 1 ;; esac
}

# rd_order NAME COUNT LINE...: tells the helper, and does not wait. Whether it was heard is seen by the answer.
rd_order() {
  rd_name=$1 rd_count=$2
  shift 2
  rd_ordered=$((rd_ordered + 1))
  trap '' PIPE
  printf '%s\n' "$rd_name $rd_ordered $rd_count" "$@" 2>/dev/null >&4
  trap - PIPE
}

# rd_answer NUMBER: waits for the answer to that order; true when it was carried out. Sets rd_why otherwise. A helper that
# says anything else is one no more.
rd_answer() {
  if [ -n "$rd_owed" ]; then
    rd_first_owed=$rd_owed rd_owed=''
    rd_answer "$rd_first_owed" || return 1
  fi
  rd_why=''
  IFS= read -r rd_line 2>/dev/null <&5 || rd_line=''
  case $rd_line in
    "$1") return 0 ;;
    "$1 "*) rd_why=${rd_line#* } ;;
    *) rd_part ;;
  esac
  return 1
}

# rd_part: without its pipes the helper ends, and unlocks.
rd_part() {
  rd_helper=none
  exec 4>&- 5<&-
}

# rd_have NAME COUNT LINE...: has a change made by the helper, which has the guard. Without an answer nobody knows whether
# it was made, and the guard is not locked any more: the operation has no answer then either. Its shell is killed, for one
# that ends by itself before its first answer looks like an account that has no shell. What it could not do, though nobody
# has it locked, the programs may be able to do: it is one no more from the next operation on. Until then it has the guard.
rd_have() {
  rd_order "$@"
  rd_answer "$rd_ordered" && return
  [ $rd_helper != none ] || kill -9 $$
  [ "$rd_why" = busy ] || rd_unfit=yes
  return 1
}
rd_unfit=no

# rd_entrust: whether the helper has the guard locked, and has done what rd_prepare does. Where it has not, flock(1)
# waits, or tells why. At first it is only started: that takes longer than an operation. With rd_inside it is asked in the same
# breath what the second line of the file says, which a shell would read byte by byte: rd_seen.
rd_inside=no
rd_entrust() {
  rd_helped=no rd_seen=''
  case $rd_helper in
    none) return 1 ;;
    wanted) rd_hire; return 1 ;;
    starting) rd_is_ready || return 1 ;;
  esac
  case $rd_guard$rd_token in *"$rd_nl"*) return 1 ;; esac
  rd_new=no
  if [ "$rd_prepare" != : ] && [ ! -e "$rd_path" ]; then
    rd_new=yes
    [ ! -e "$rd_temp" ] || rm -f -- "$rd_temp"
    rd_order NEW 3 "$rd_temp" "${rd_content%"$rd_nl"}"
  fi
  rd_order LOCK 1 "$rd_guard"
  rd_lock_order=$rd_ordered
  [ $rd_inside = no ] || rd_order HAS 4 "$rd_path" "\"token\":\"${rd_token:-,}\"" '"state":"claim"' '"hold":true'
  if [ $rd_new = yes ] && rd_answer $((rd_lock_order - 1)); then rd_written=yes; fi
  if [ $rd_helper = at-work ] && rd_answer "$rd_lock_order"; then rd_helped=yes; fi
  if [ $rd_inside = yes ] && [ $rd_helper = at-work ]; then
    rd_answer "$rd_ordered"
    # Before it had the guard it may have seen what has changed since.
    [ $rd_helped = no ] || rd_seen=$rd_why
  fi
  rd_why=''
  # One that was lost has nothing locked.
  [ $rd_helper = at-work ] || rd_helped=no
  [ $rd_helped = yes ]
}

# rd_dismiss: has the helper unlock what it has locked. If it is gone its locks are, too. A hold file is unlocked when the
# operation is answered, since writers try it once; for the guard there is flock(1), which waits.
rd_dismiss() {
  rd_helped=no
  rd_order UNLOCK 0
  if [ $rd_hold_locked = yes ] || [ $rd_unfit = yes ]; then rd_answer "$rd_ordered"; else rd_owed=$rd_ordered; fi
  rd_hold_locked=no
  [ $rd_unfit = no ] || rd_part
}
rd_hold_locked=no

# rd_kind PATH: sets rd_is to FILE, NONE, or "ERR code". NONE is not yet a proof of absence: the file may come or
# go between two of these tests, and so everything else rests on one test alone that says so, never on what the
# tests before it did not see.
rd_kind() {
  rd_dir=${1%/*}
  rd_dir=${rd_dir:-/}
  if [ ! -d "$rd_dir" ]; then rd_is='ERR no-directory'
  elif [ ! -x "$rd_dir" ]; then rd_is='ERR no-search'
  elif [ -L "$1" ]; then rd_is='ERR symlink'
  elif [ -f "$1" ]; then rd_is=FILE
  elif [ -d "$1" ]; then rd_is='ERR directory'
  elif [ -p "$1" ] || [ -S "$1" ] || [ -c "$1" ] || [ -b "$1" ]; then rd_is='ERR special'
  else rd_is=NONE; fi
}

# rd_make PATH: makes a file that is missing. Another account may do so in the same moment, hence before anybody
# looks whether it may be written.
rd_make() { [ -e "$1" ] || true 2>/dev/null >>"$1"; }

# rd_absent PATH...: true when the kernel says of every path that no such file exists. The tests above
# cannot tell that from an input/output error or a stale file handle; the message of an open can. This shell hears
# its own messages through a pipe (that of an empty here-document, opened once more to write), which costs no fork. A
# shell with other words for it, or without /proc, is not believed: stat is.
rd_absent() {
  [ $# -gt 0 ] || return 0
  rd_hear "$@" 2>/dev/null 7<<EOF 6>/proc/self/fd/7 && return
EOF
  rd_count_absent "$#" "$(stat -c x -- "$@" 2>&1 >/dev/null)"
}

# rd_hear PATH...: as rd_absent, reading from 7 what is written to 6. The line after each message is there in any case: a
# read never waits. The shortest pipe takes 4096 bytes, and more would wait for ever: no long path.
rd_hear() {
  for rd_p in "$@"; do
    [ ${#rd_p} -le 500 ] || return 1
    case $rd_p in *"$rd_nl"*) return 1 ;; esac
    { true <"$rd_p"; } 2>&6
    echo >&6 && IFS= read -r rd_line <&7 && rd_denies "$rd_line" && IFS= read -r rd_line <&7 || return 1
  done
}

# rd_denies MESSAGE: whether it says that there is no such file.
rd_denies() {
  case $1 in
    *': No such file or directory' | *': No such file' | *': no such file') return 0 ;;
    *) return 1 ;;
  esac
}

# rd_count_absent COUNT LINES: whether there are so many lines and each says that there is no such file.
rd_count_absent() {
  rd_left=$2 rd_count=0
  while [ -n "$rd_left" ]; do
    rd_denies "${rd_left%%"$rd_nl"*}" || return 1
    rd_count=$((rd_count + 1))
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
  rd_stats='' rd_texts=''
  [ $# -gt 0 ] || return 0
  rd_stats=$(stat -c '%Y %s' -- "$@" 2>/dev/null) || return 1
  rd_now=$(date +%s)
  rd_read_many "$@"
}

# rd_read_many PATH...: sets rd_texts to the first two lines of each of the files, of which rd_stats tells, as
# NUMBER:LINE:TEXT. A shell reads byte by byte; for many files one program costs less. Where it fails, a file is
# empty, or a name stands there twice, lines are missing, and each of those files is read by itself.
rd_read_many() {
  [ $# -gt 8 ] || return 0
  rd_left=$rd_stats
  while [ -n "$rd_left" ]; do
    rd_line=${rd_left%%"$rd_nl"*}
    [ "${rd_line#* }" -le 4096 ] || return 0
    case $rd_left in
      *"$rd_nl"*) rd_left=${rd_left#*"$rd_nl"} ;;
      *) rd_left='' ;;
    esac
  done
  # shellcheck disable=SC3045 # as above; one of them may be another by now, and huge
  rd_texts=$(ulimit -t 10; ulimit -S -d 65536; awk 'BEGIN { for (i = 1; i < ARGC; i++) n[ARGV[i]] = i }
    FNR < 3 { print n[FILENAME] ":" FNR ":" $0 }' "$@" 2>/dev/null) || rd_texts=''
}

# rd_describe NUMBER PATH STATUS [LINE [LINE]]: adds what is known of the file to rd_out and drops its line from
# rd_stats. More than 4096 bytes are never one of our locks and are not read. LINE: what was read of it already.
rd_describe() {
  rd_line=${rd_stats%%"$rd_nl"*}
  rd_stats=${rd_stats#*"$rd_nl"}
  rd_first='' rd_second=''
  if [ "${rd_line#* }" -le 4096 ]; then
    if [ $# -gt 3 ]; then
      rd_first=$4 rd_second=${5-}
    else
      { IFS= read -r rd_first; IFS= read -r rd_second; } 2>/dev/null <"$2"
    fi
    [ -e "$2" ] || return 1
  fi
  rd_out="${rd_out}RD1 $rd_nonce $1 $3 ${rd_line% *} $rd_now${rd_nl}RD1 $rd_nonce $1 FIRST $rd_first${rd_nl}RD1 $rd_nonce $1 SECOND $rd_second$rd_nl"
}

# rd_look NUMBER PATH...: puts the state of every path into rd_out; fails when something changed during it.
# Sets rd_blocked to yes when a path is neither free nor carries rd_token.
rd_look() {
  rd_n=$1
  shift
  rd_out='' rd_kinds='' rd_blocked=no
  for rd_file in "$@"; do
    rd_kind "$rd_file"
    rd_kinds=$rd_kinds$rd_is$rd_nl
  done
  rd_with NONE rd_absent "$@" || return 1
  rd_with FILE rd_stat "$@" || return 1
  rd_all='' rd_nth=0 rd_split=no
  for rd_file in "$@"; do
    # From the first time on "$@" are the lines of rd_texts: to cut them off a long string takes longer than to read them.
    if [ $rd_split = no ]; then
      rd_split=yes
      IFS=$rd_nl
      # shellcheck disable=SC2086 # none of them is empty, and set -f holds
      set -- $rd_texts
      IFS=' 	'$rd_nl
    fi
    rd_is=${rd_kinds%%"$rd_nl"*}
    rd_kinds=${rd_kinds#*"$rd_nl"}
    case $rd_is in
      NONE) rd_out="${rd_out}RD1 $rd_nonce $rd_n ABSENT$rd_nl" ;;
      FILE)
        rd_nth=$((rd_nth + 1))
        case ${1-}$rd_nl${2-} in
          "$rd_nth:1:"*"$rd_nl$rd_nth:2:"*) rd_describe "$rd_n" "$rd_file" HELD "${1#*:1:}" "${2#*:2:}" && shift 2 ;;
          "$rd_nth:1:"*) rd_describe "$rd_n" "$rd_file" HELD "${1#*:1:}" && shift ;;
          *) rd_describe "$rd_n" "$rd_file" HELD ;;
        esac || return 1
        rd_carries || rd_blocked=yes
        ;;
      *)
        rd_out="${rd_out}RD1 $rd_nonce $rd_n $rd_is$rd_nl"
        rd_blocked=yes
        ;;
    esac
    # In pieces: a shell copies all of a string to add to it.
    if [ ${#rd_out} -gt 4096 ]; then rd_all=$rd_all$rd_out rd_out=''; fi
    rd_n=$((rd_n + 1))
  done
  rd_out=$rd_all$rd_out
}

# rd_check NUMBER PATH...: answers ABSENT, HELD or ERR for every path, numbered from NUMBER.
rd_check() {
  for rd_try in 1 2 3; do
    if rd_look "$@"; then
      rd_said=$rd_said$rd_out
      return 0
    fi
  done
  rd_n=$1
  shift
  for rd_file in "$@"; do
    rd_say "$rd_n ERR unproven after $rd_try looks"
    rd_n=$((rd_n + 1))
  done
  return 1
}

# rd_tell STATUS: answers with the content of the file at rd_path.
rd_tell() {
  rd_out=''
  if rd_stat "$rd_path" && rd_describe "$rd_number" "$rd_path" "$1"; then
    rd_said=$rd_said$rd_out
  else
    rd_say "$rd_number ERR unproven"
  fi
}

# rd_mine: whether the file at rd_path carries rd_token; sets rd_own_name to a name by which it is changed, and rd_first
# and rd_second to its lines.
# The name P.tmp.<token> that it was linked from stays as long as the lock: by that name nobody else's file can
# ever be hit. It is read all the same: another program may have written over the lock, which keeps the file.
rd_mine() {
  rd_temp=$rd_path.tmp.${rd_token:-,}
  # shellcheck disable=SC3013 # POSIX since 2024, and in every shell that is anybody's /bin/sh
  if [ "$rd_path" -ef "$rd_temp" ]; then
    rd_own_name=$rd_temp
    rd_recall
  else
    rd_own_name=$rd_path rd_seen=''
    rd_read_other
  fi
  rd_carries
}

# rd_read: sets rd_first and rd_second to the lines of the file at rd_path. Once is enough: a shell reads byte by byte,
# and a lock file costs as much as a fork. A shell that would need more memory for a line ends.
rd_read() {
  rd_first='' rd_second=''
  # shellcheck disable=SC3045 # as above
  ulimit -S -d 8192
  { IFS= read -r rd_first; IFS= read -r rd_second; } 2>/dev/null <"$rd_path"
  # shellcheck disable=SC3045 # as above
  ulimit -S -d "$rd_data"
}

# rd_recall: the same as far as it matters whose it is and what is done with it, from what the helper has seen there.
rd_recall() {
  case $rd_seen in
    'has '*) rd_first='' rd_second='' ;;
    *) rd_read; return ;;
  esac
  case $rd_seen in 'has 1'*) rd_second="\"token\":\"$rd_token\"" ;; esac
  case $rd_seen in 'has '?1*) rd_second=$rd_second'"state":"claim"' ;; esac
  case $rd_seen in 'has '??1) rd_second=$rd_second'"hold":true' ;; esac
}

# rd_read_other: the same for what somebody else may have put there, which may be huge: here in seconds of CPU.
rd_read_other() {
  rd_lines=$(
    # shellcheck disable=SC3045 # as above
    ulimit -t 10
    { IFS= read -r rd_first; IFS= read -r rd_second; } 2>/dev/null <"$rd_path"
    printf '%s\n%s' "$rd_first" "$rd_second"
  )
  rd_first=${rd_lines%%"$rd_nl"*} rd_second=${rd_lines#*"$rd_nl"}
}

rd_carries() {
  case $rd_second in
    *"\"token\":\"${rd_token:-,}\""*) return 0 ;;
    *) return 1 ;;
  esac
}

# rd_guarded COMMAND [ARGUMENT...]: runs it while the guard of rd_path is locked; the kernel unlocks it when
# this shell dies, or the helper where that has it. The guard file is never deleted: that would let two shells lock two different files.
# Another user's guard may be read-only for us, which is enough for flock. rd_prepare is a command that
# needs no guard and is run while flock(1) starts.
rd_prepare=:
rd_guarded() {
  rd_kind "$rd_path"
  case $rd_is in ERR*) rd_say "$rd_number $rd_is"; return 1 ;; esac
  rd_guard=$rd_path.guard
  rd_kind "$rd_guard"
  case $rd_is in ERR*) rd_say "$rd_number ERR guard $rd_is"; return 1 ;; esac
  rd_make "$rd_guard"
  if rd_entrust; then
    "$@"
    rd_status=$?
    rd_dismiss
    return $rd_status
  fi
  rd_opened=no
  if [ -e "$rd_guard" ] && [ ! -w "$rd_guard" ]; then
    rd_locked "$@" 2>/dev/null 9<"$rd_guard"
  else
    rd_locked "$@" 2>/dev/null 9>>"$rd_guard"
  fi
  rd_status=$?
  [ $rd_opened = yes ] || rd_fail guard "$( (: 9>>"$rd_guard") 2>&1)"
  return $rd_status
}

rd_locked() {
  rd_opened=yes
  if [ "$rd_prepare" = : ]; then
    # In the background it would cost a fork more.
    flock -w 5 9
  else
    flock -w 5 9 &
    rd_flock=$!
    $rd_prepare
    wait "$rd_flock"
  fi
  case $? in
    0) "$@" ;;
    1) rd_say "$rd_number BUSY"; return 1 ;;
    *) rd_say "$rd_number ERR no-flock"; return 1 ;;
  esac
}

rd_fail() { rd_say "$rd_number ERR $1 ${2%%"$rd_nl"*}"; }

# rd_acquire NUMBER PATH TOKEN LINE LINE: answers ACQUIRED (with "already" if the token was there before), HELD, BUSY or
# ERR; true when the lock is ours.
rd_acquire() {
  rd_number=$1 rd_path=$2 rd_token=$3 rd_content=$4$rd_nl$5$rd_nl
  rd_claim rd_take
}

# rd_settle NUMBER PATH TOKEN LINE LINE LINE PATH...: as rd_acquire; then looks at the further paths,
# numbered on, and if none is in the way promotes the lock to the content with the last LINE, as the last
# number. All of it under one guard, because starting flock(1) twice takes as long as everything else.
rd_settle() {
  rd_number=$1 rd_path=$2 rd_token=$3 rd_content=$4$rd_nl$5$rd_nl rd_held=$4$rd_nl$6$rd_nl
  shift 6
  rd_claim rd_settled "$@"
}

rd_settled() {
  rd_take && rd_clear "$((rd_number + 1))" "$@" || return
  rd_number=$((rd_number + $# + 1)) rd_content=$rd_held
  rd_put
}

# rd_claim COMMAND [ARGUMENT...]: runs it under the guard, with the content written to a file of our own.
rd_claim() {
  rd_temp=$rd_path.tmp.$rd_token rd_written=no rd_why=''
  rd_prepare=rd_write_temp
  rd_guarded "$@"
  rd_status=$?
  rd_prepare=:
  # shellcheck disable=SC3013 # as in rd_mine
  [ ! -e "$rd_temp" ] || [ "$rd_path" -ef "$rd_temp" ] || rm -f -- "$rd_temp"
  return "$rd_status"
}

rd_write_temp() {
  [ "$rd_written" = no ] && [ ! -e "$rd_path" ] || return 0
  [ ! -e "$rd_temp" ] || rm -f -- "$rd_temp"
  if rd_write; then rd_written=yes; else rd_why=$(rd_write 2>&1); fi
  # After a power failure there is the whole file or none; a sync that takes no operands does no harm.
  sync "$rd_temp"
}

# A full disk may cut the content short. A printf that does not notice is not believed: what was written
# is read again, which costs as much as a quarter of a fork.
rd_write() {
  printf '%s' "$rd_content" >"$rd_temp" || return 1
  [ -c /dev/full ] && ! printf x 2>/dev/null >/dev/full && return 0
  { IFS= read -r rd_first && IFS= read -r rd_second; } <"$rd_temp" &&
    [ "$rd_first$rd_nl$rd_second$rd_nl" = "$rd_content" ]
}

rd_take() {
  rd_kind "$rd_path"
  case $rd_is in
    FILE)
      if rd_mine; then rd_say "$rd_number ACQUIRED already"; return 0; fi
      rd_tell HELD
      return 1
      ;;
    ERR*) rd_say "$rd_number $rd_is"; return 1 ;;
  esac
  # What was there when the content was to be written has gone meanwhile.
  [ "$rd_written$rd_why" != no ] || rd_write_temp
  if [ "$rd_written" = no ]; then rd_fail write "$rd_why"; return 1; fi
  if rd_link; then
    rd_own_name=$rd_temp
    rd_say "$rd_number ACQUIRED"
    return 0
  fi
  rd_kind "$rd_path"
  case $rd_is in
    FILE) rd_tell HELD ;;
    ERR*) rd_say "$rd_number $rd_is" ;;
    NONE)
      case $rd_why in
        # By somebody who does not respect the guard, and it is gone again.
        *': File exists') rd_fail unproven ;;
        *) rd_fail link "$rd_why" ;;
      esac
      ;;
  esac
  return 1
}

rd_link() {
  if [ $rd_helped = yes ]; then rd_have LINK 2 "$rd_temp" "$rd_path"
  # The second try is there for its words, and if it succeeds the lock is ours all the same.
  else ln -- "$rd_temp" "$rd_path" || rd_why=$(ln -- "$rd_temp" "$rd_path" 2>&1); fi
}

# rd_clear NUMBER PATH...: as rd_check; true when every path is free, or ours by rd_token.
rd_clear() {
  rd_blocked=no
  rd_check "$@" && [ $rd_blocked = no ]
}

# rd_free NUMBER PATH...: true when there seems to be nothing at any of the paths. Otherwise answers as rd_check,
# numbered from 0, and BLOCKED as NUMBER; if nothing is there by then it is true all the same. It only keeps those
# from claiming who would have to give back at once: what must not be there is looked for again after the claim,
# and proven then.
rd_free() {
  rd_last=$1
  shift
  for rd_file in "$@"; do
    rd_kind "$rd_file"
    [ "$rd_is" = NONE ] || break
  done
  [ "$rd_is" != NONE ] || return 0
  rd_token=''
  rd_clear 0 "$@" && return
  rd_say "$rd_last" BLOCKED
  return 1
}

# rd_own NUMBER PATH TOKEN COMMAND: runs it under the guard if the file carries the token; answers
# ABSENT, LOST (another's file is there), BUSY or ERR otherwise.
rd_own() {
  rd_number=$1 rd_path=$2 rd_token=$3 rd_inside=yes
  rd_guarded rd_if_mine "$4"
  rd_status=$?
  rd_inside=no
  return $rd_status
}

rd_if_mine() {
  rd_kind "$rd_path"
  case $rd_is in
    NONE) if rd_absent "$rd_path"; then rd_say "$rd_number ABSENT"; else rd_fail unproven; fi ;;
    FILE) if rd_mine; then "$1"; else rd_tell LOST; fi ;;
    *) rd_say "$rd_number $rd_is" ;;
  esac
}

# rd_release NUMBER PATH TOKEN [ended]: answers RELEASED, INUSE or as rd_own. "ended": no writer was ever let in
# with this token, and none is on its way. Where P is gone or another's, or the claim
# was killed half-way, our own name of it is left to be removed.
rd_release() {
  rd_writers=${4:-}
  rd_own "$1" "$2" "$3" rd_drop
  rd_status=$?
  # shellcheck disable=SC3013 # as in rd_mine
  [ "$2" -ef "$2.tmp.$3" ] || [ ! -e "$2.tmp.$3" ] || rm -f -- "$2.tmp.$3"
  return $rd_status
}

# A writer may be on its way that finds its token in P and begins when P is gone: it has P.hold locked by then.
# The token of what is only claimed was never given to a writer; writers of other tokens turn themselves away.
rd_drop() {
  case $rd_writers$rd_second in
    ended* | *'"state":"claim"'*) rd_remove ;;
    *'"hold":true'*) rd_alone "$rd_path.hold" rd_remove ;;
    *) rd_remove ;;
  esac
}

# rd_alone HOLD COMMAND [ARGUMENT...]: runs it while nobody else has the hold file locked, and keeps it locked
# meanwhile: a writer that starts now is turned away, one that starts later finds what was done. Answers INUSE
# otherwise. A missing file is made: somebody else could make it, and lock it unnoticed, in the next moment.
rd_alone() {
  rd_hold=$1
  shift
  rd_kind "$rd_hold"
  case $rd_is in ERR*) rd_say "$rd_number ERR hold $rd_is"; return 1 ;; esac
  rd_make "$rd_hold"
  if [ $rd_helped = yes ]; then
    if rd_have LOCK 1 "$rd_hold"; then rd_hold_locked=yes; "$@"; return; fi
    if [ "$rd_why" = busy ]; then rd_say "$rd_number INUSE"; return 1; fi
    case $rd_why in 'flock: '*) rd_say "$rd_number ERR no-flock"; return 1 ;; esac
    rd_words=$( (: >>"$rd_hold") 2>&1)
    rd_fail hold "${rd_words:-$rd_why}"
    return 1
  fi
  rd_opened=no
  if [ -e "$rd_hold" ] && [ ! -w "$rd_hold" ]; then
    rd_unless_held "$@" 8<"$rd_hold"
  else
    rd_unless_held "$@" 8>>"$rd_hold"
  fi
  rd_status=$?
  [ $rd_opened = yes ] || rd_fail hold "$( (: 8>>"$rd_hold") 2>&1)"
  # As the guard was, or nothing would be done here.
  rd_opened=yes
  return $rd_status
}

rd_unless_held() {
  rd_opened=yes
  flock -n 8
  case $? in
    0) "$@" ;;
    1) rd_say "$rd_number INUSE"; return 1 ;;
    *) rd_say "$rd_number ERR no-flock"; return 1 ;;
  esac
}

rd_remove() {
  if [ $rd_helped = yes ]; then rd_have REMOVE 3 "$rd_path" "$rd_temp" "$rd_path.status"
  else rm -f -- "$rd_path" "$rd_temp" "$rd_path.status" || rd_why=$(rm -f -- "$rd_path" "$rd_temp" 2>&1); fi
  if [ -e "$rd_path" ]; then rd_fail remove "$rd_why"; else rd_say "$rd_number RELEASED"; fi
}

# rd_beat NUMBER PATH TOKEN [STATUS]: answers BEATEN or as rd_own. The time is that of this host's clock.
rd_beat() {
  rd_note=${4-}
  rd_own "$1" "$2" "$3" rd_touch
}

rd_touch() {
  if rd_renew; then rd_say "$rd_number BEATEN"; rd_tell_status; else rd_fail touch "$rd_why"; fi
}

rd_renew() {
  if [ $rd_helped = yes ]; then rd_have TOUCH 1 "$rd_own_name"
  else touch -c -m -- "$rd_own_name" || rd_why=$(touch -c -m -- "$rd_own_name" 2>&1); fi
}

# Puts the status beside P, for people who wait: nothing is decided by it, and nothing fails with it.
rd_tell_status() {
  [ -n "$rd_note" ] && [ ! -d "$rd_path.status" ] || return 0
  if [ $rd_helped = yes ]; then
    rd_have REPLACE 3 "$rd_path.status.tmp" "$rd_path.status" "$rd_note" || rd_unfit=no
    return
  fi
  rm -f -- "$rd_path.status.tmp"
  if (set -C; printf '%s\n' "$rd_note" >"$rd_path.status.tmp"); then
    mv -f -- "$rd_path.status.tmp" "$rd_path.status"
  else
    rm -f -- "$rd_path.status.tmp"
  fi
}

# rd_promote NUMBER PATH TOKEN LINE LINE: answers PROMOTED or as rd_own.
rd_promote() {
  rd_content=$4$rd_nl$5$rd_nl
  rd_own "$1" "$2" "$3" rd_exchange
}

# The new content is as long as the old one and is written over it, in one write of less than a page: no
# reader and no power failure finds neither. It needs no space on a full disk and no further program.
rd_exchange() {
  if [ -n "$rd_seen" ]; then
    rd_read
    rd_carries || { rd_tell LOST; return; }
  fi
  rd_old=$rd_first$rd_nl$rd_second$rd_nl
  if [ ${#rd_old} -ne ${#rd_content} ]; then rd_fail length; else rd_put; fi
}

rd_put() {
  rd_overwrite || { rd_fail write "$rd_why"; return; }
  # shellcheck disable=SC3013 # as in rd_mine
  if [ "$rd_path" -ef "$rd_own_name" ]; then rd_say "$rd_number PROMOTED"
  # Somebody who does not respect the guard has removed it.
  else rd_fail unproven; fi
}

rd_overwrite() {
  if [ $rd_helped = yes ]; then rd_have PUT 3 "$rd_own_name" "${rd_content%"$rd_nl"}"
  else printf '%s' "$rd_content" 1<>"$rd_own_name" || rd_why=$( (printf '%s' "$rd_content" 1<>"$rd_own_name") 2>&1); fi
}

# rd_break NUMBER PATH TOKEN MTIME: moves a lock aside whose owner is dead; the caller knows that by his own
# clock, this host's is not asked. Answers BROKEN, ABSENT, CHANGED, INUSE, BUSY or ERR. A file without a token is
# not one of ours and would equal an empty one.
rd_break() {
  rd_number=$1 rd_path=$2 rd_token=$3 rd_mtime=$4 rd_helper=none
  if [ -z "$rd_token" ]; then rd_fail token; return 1; fi
  rd_guarded rd_if_stale rd_mine "$rd_token"
}

# rd_breakforeign NUMBER PATH SHA256 MTIME: the same for a file of any content.
rd_breakforeign() {
  rd_number=$1 rd_path=$2 rd_sha=$3 rd_mtime=$4 rd_helper=none
  if [ ${#rd_sha} -ne 64 ]; then rd_fail token; return 1; fi
  rd_guarded rd_if_stale rd_same_sum "$rd_sha"
}

# rd_if_stale COMMAND NAME: the command tells whether it is still the same file.
rd_if_stale() {
  rd_kind "$rd_path"
  case $rd_is in
    NONE) if rd_absent "$rd_path"; then rd_say "$rd_number ABSENT"; else rd_fail unproven; fi; return ;;
    ERR*) rd_say "$rd_number $rd_is"; return ;;
  esac
  if ! rd_stat "$rd_path"; then rd_fail unproven; return; fi
  if [ "${rd_stats%% *}" != "$rd_mtime" ] || ! "$1"; then rd_tell CHANGED; return; fi
  rd_alone "$rd_path.hold" rd_aside "$2"
}

# Moved and not removed: it is evidence, for a week.
rd_aside() {
  rd_broken=$rd_path.broken.$1
  if [ -d "$rd_broken" ]; then rd_fail break 'a directory is in its place'; return; fi
  mv -f -- "$rd_path" "$rd_broken" || rd_why=$(mv -f -- "$rd_path" "$rd_broken" 2>&1)
  if [ -e "$rd_path" ]; then rd_fail break "$rd_why"; return; fi
  rd_say "$rd_number BROKEN"
  rm -f -- "$rd_path.tmp.$1" "$rd_path.status"
  set +f
  for rd_p in "$rd_path".broken.* "$rd_path".tmp.*; do
    [ ! -f "$rd_p" ] || find "$rd_p" -prune -type f -ctime +7 -exec rm -f -- {} \;
  done
  set -f
}

# rd_get_sum: sets rd_sum to the SHA-256 of rd_path. More than a megabyte is no lock of anybody.
rd_get_sum() {
  rd_sum=
  rd_size=${rd_stats#* }
  [ "${rd_size%%"$rd_nl"*}" -le 1048576 ] || return 1
  rd_sum=$(sha256sum <"$rd_path") || return 1
  rd_sum=${rd_sum%% *}
}

rd_same_sum() { rd_get_sum && [ "$rd_sum" = "$rd_sha" ]; }

# rd_fingerprint NUMBER PATH: answers ABSENT, HELD with a line SUM, or ERR.
rd_fingerprint() {
  rd_number=$1 rd_path=$2
  rd_kind "$rd_path"
  if [ "$rd_is" != FILE ]; then rd_check "$1" "$2"; return; fi
  rd_before=
  if rd_stat "$rd_path" && rd_before=$rd_stats && rd_get_sum && rd_out='' && rd_describe "$1" "$2" HELD &&
    rd_stat "$rd_path" && [ "$rd_stats" = "$rd_before" ]; then
    rd_said=$rd_said$rd_out
    rd_say "$rd_number SUM $rd_sum"
  else
    rd_say "$rd_number ERR unproven"
  fi
}

# rd_probe NUMBER DIRECTORY: answers PROBED with what was tried there, or ERR.
rd_probe() {
  rd_number=$1 rd_path=$2
  rd_kind "$2/rd"
  case $rd_is in ERR*) rd_say "$rd_number $rd_is"; return ;; esac
  rd_temp=$2/.rsyncdirector-probe.$rd_nonce
  rd_why=$( (set -C; : >"$rd_temp") 2>&1) || { rd_fail write "$rd_why"; return; }
  rd_excl=yes rd_link=no rd_lock=no
  (set -C; : >"$rd_temp") 2>/dev/null && rd_excl=no
  ln -- "$rd_temp" "$rd_temp.2" 2>/dev/null && ! ln -- "$rd_temp" "$rd_temp.2" 2>/dev/null && rd_link=yes
  if rd_probe_flock 2>/dev/null 8>>"$rd_temp"; then rd_lock=yes
  elif rd_has_flock; then rd_lock=elsewhere; fi
  rm -f -- "$rd_temp" "$rd_temp.2"
  # A link has a mode that says nothing, and an owner who can lead it elsewhere: "MODE,OWNER".
  rd_who=$(stat -L -c '%u %a' -- "$2") && rd_type=$(stat -f -c %T -- "$2" 2>/dev/null)
  [ ! -L "$2" ] || rd_who=$rd_who,$(stat -c %u -- "$2")
  rd_say "$rd_number PROBED $rd_excl $rd_link $rd_lock $rd_who $(id -u) $(date +%s) $rd_type"
}

rd_probe_flock() { flock -n 8 && ! (flock -n 8) 8>>"$rd_temp"; }

# rd_has_flock: whether flock works at all, tried on what no directory has a say in: the pipe of a here-document.
rd_has_flock() {
  flock -n 8 2>/dev/null 8<<EOF
x
EOF
}

# rd_holds NUMBER PATH...: answers FREE, INUSE or ERR for every hold file, numbered from NUMBER, with "ro" when
# it may only be read. Writers of one job may share the lock, so that it has to be tried alone; the second is
# for others who look at the same time.
rd_holds() {
  rd_number=$1
  shift
  for rd_path in "$@"; do
    rd_hold
    rd_number=$((rd_number + 1))
  done
}

rd_hold() {
  rd_kind "$rd_path"
  case $rd_is in
    ERR*) rd_say "$rd_number $rd_is"; return ;;
    NONE)
      rd_make "$rd_path"
      if [ ! -e "$rd_path" ]; then
        rd_fail hold "$( (: >>"$rd_path") 2>&1)"
        return
      fi
      ;;
  esac
  rd_only=''
  if [ -w "$rd_path" ]; then
    flock -w 1 9 9>>"$rd_path"
  elif [ -r "$rd_path" ]; then
    rd_only=ro
    flock -w 1 9 9<"$rd_path"
  else
    rd_fail hold 'Permission denied'
    return
  fi 2>/dev/null
  case $? in
    0) rd_say "$rd_number FREE $rd_only" ;;
    1) rd_say "$rd_number INUSE $rd_only" ;;
    *) rd_say "$rd_number ERR no-flock" ;;
  esac
}

# rd_fence NUMBER HOLD TOKEN: writes into a hold file, while nobody has it locked, that the token is dead: from
# then on no writer is let in with it. Answers FENCED, INUSE or ERR.
rd_fence() {
  rd_number=$1 rd_path=$2 rd_token=$3
  if [ -z "$rd_token" ]; then rd_fail token; return 1; fi
  rd_alone "$rd_path" rd_bury 2>/dev/null
}

rd_bury() {
  # The path stands in somebody's lock file: what is not ours is not written into, and never cut.
  if [ -s "$rd_path" ] && [ "$(dd if="$rd_path" bs=5 count=1)" != 'dead ' ]; then rd_fail fence; return; fi
  if ! rd_buried; then
    rd_forget
    printf 'dead %s;\n' "$rd_token" >>"$rd_path"
    sync "$rd_path"
  fi
  if rd_buried; then rd_say "$rd_number FENCED"
  else rd_fail write "$( (printf 'dead %s;\n' "$rd_token" >>"$rd_path") 2>&1)"; fi
}

rd_buried() { grep -q -F -e "dead $rd_token;" -- "$rd_path"; }

# Of two thousand dead tokens the last thousand stay: a writer of an earlier one would have been on its way for
# as long as a thousand runs took that came after it. The file keeps its inode, which is what is locked.
rd_forget() {
  [ "$(wc -l <"$rd_path")" -ge 2000 ] || return 0
  rd_kept=$(tail -n 1000 -- "$rd_path")$rd_nl
  printf '%s' "$rd_kept" 1<>"$rd_path" && dd if=/dev/null of="$rd_path" bs=1 seek="${#rd_kept}"
}
