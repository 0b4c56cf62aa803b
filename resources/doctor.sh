#!/bin/sh
# Facts about a host for `rsyncdirector doctor`. It is fed to `/bin/sh -s` after lock.sh, whose rd_say
# it uses; an answer is a line RD1 <nonce> FACT <name> <value>.

# A file system that does not answer must not take the other facts with it.
rd_in_time() {
  if command -v timeout >/dev/null; then timeout 5 "$@"; else "$@"; fi
}

rd_facts() {
  rd_say "FACT now $(date +%s.%N)"
  rd_say "FACT user $(id -un 2>/dev/null || id -u)"
  rd_say "FACT system $(uname -sr)"
  # shellcheck disable=SC1091 # the file of the host where this runs
  [ ! -r /etc/os-release ] || rd_say "FACT release $(. /etc/os-release && printf '%s' "$PRETTY_NAME")"
  # rsync is found as it is when it is started over ssh, and not only where lock.sh looks.
  rd_line=$(PATH=$PATH:/usr/local/bin:/opt/local/bin rsync --version 2>/dev/null)
  [ -z "$rd_line" ] || rd_say "FACT rsync ${rd_line%%"$rd_nl"*}"
  rd_line=$(dpkg-query -W -f '${Version}' rsync 2>/dev/null || rpm -q --qf '%{VERSION}-%{RELEASE}' rsync 2>/dev/null) &&
    rd_say "FACT package $rd_line"
  rd_line=$(ssh -V 2>&1) && rd_say "FACT ssh ${rd_line%%"$rd_nl"*}"
}

# rd_space NUMBER PATH...: answers FACT space <number> <kilobytes free> <kilobytes> <inodes free> <inodes>
# for every path, or for the nearest directory above it; a + after the number: the path itself exists.
rd_space() {
  rd_number=$1
  shift
  for rd_path in "$@"; do
    rd_mark=+
    while [ ! -e "$rd_path" ]; do
      rd_mark=
      case $rd_path in
        /*/*) rd_path=${rd_path%/*} ;;
        /*) rd_path=/ ;;
        */*) rd_path=${rd_path%/*} ;;
        *) rd_path=. ;;
      esac
    done
    # shellcheck disable=SC2046 # each word of the last line is wanted by itself
    rd_tell_space $(rd_in_time df -Pk -- "$rd_path" 2>/dev/null | tail -n 1) $(rd_in_time df -Pi -- "$rd_path" 2>/dev/null | tail -n 1)
    rd_number=$((rd_number + 1))
  done
}

# The columns of df are name, all, used, free, percent and place; a name or place with a blank is passed over.
rd_tell_space() { [ $# -ne 12 ] || rd_say "FACT space $rd_number$rd_mark $4 $2 ${10} $8"; }

# rd_beside NUMBER PATH...: what lies beside lock files, for `rsyncdirector locks`. Answers BESIDE <number> hold or
# none (whether there is a hold file), and BROKEN <number> <seconds since then> <token> for each that was moved aside.
rd_beside() {
  rd_number=$1
  shift
  rd_now=$(date +%s)
  for rd_path in "$@"; do
    if [ -f "$rd_path.hold" ]; then rd_say "BESIDE $rd_number hold"; else rd_say "BESIDE $rd_number none"; fi
    set +f
    for rd_p in "$rd_path".broken.*; do
      [ -f "$rd_p" ] || continue
      # The time of the renaming; that of the content is the last sign of life.
      rd_moved=$(stat -c %Z -- "$rd_p") && rd_say "BROKEN $rd_number $((rd_now - rd_moved)) ${rd_p##*.broken.}"
    done
    set -f
    rd_number=$((rd_number + 1))
  done
}
