#!/bin/sh
# What `rsyncdirector deploy` looks at and changes on a host. This text is fed to `/bin/sh -s` there, as root; calls of
# the functions follow it. Looking (rd_see_*) prints a line for each thing; a change that fails ends the shell.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
DEBIAN_FRONTEND=noninteractive
export PATH LC_ALL DEBIAN_FRONTEND
umask 022
# The home directory of root is no place for the accounts as which something is done here.
cd / || exit 1

rd_die() {
  printf '%s\n' "$*" >&2
  exit 1
}

rd_systemd() { [ -d /run/systemd/system ]; }
rd_home() { getent passwd "$1" | cut -d : -f 6; }

# Looking

rd_see_host() {
  # shellcheck disable=SC1091 # the file of the host where this runs
  [ ! -r /etc/os-release ] || (. /etc/os-release && printf 'os %s %s\n' "$ID" "${ID_LIKE:-}")
  for rd_tool in apt-get dnf sudo rsync ssh sshd flock runuser node npm; do
    if command -v "$rd_tool" >/dev/null 2>&1; then printf 'tool %s\n' "$rd_tool"; fi
  done
  printf 'uid %s\n' "$(id -u)"
  rd_version=$(node --version 2>/dev/null) && printf 'node %s\n' "$rd_version"
  if rd_systemd; then printf 'systemd yes\n'; fi
}

# rd_see_program DIRECTORY: which package was installed, if the program starts.
rd_see_program() {
  if [ -r "$1/package" ] && rsyncdirector --version >/dev/null 2>&1; then printf 'program %s\n' "$(cat "$1/package")"; fi
}

rd_see_account() {
  rd_entry=$(getent passwd "$1") || return 0
  printf 'account %s %s %s\n' "$1" "${rd_entry##*:}" "$(id -nG "$1")"
}

# rd_see_path NUMBER PATH
rd_see_path() {
  if [ -L "$2" ]; then rd_kind='link'
  elif [ -d "$2" ]; then rd_kind="directory $(stat -c '%U %G %a' -- "$2")"
  elif [ -f "$2" ]; then rd_kind="file $(stat -c '%U %G %a' -- "$2") $(sha256sum <"$2" | cut -d ' ' -f 1)"
  elif [ -e "$2" ]; then rd_kind='other'
  else rd_kind='absent'; fi
  printf 'path %s %s\n' "$1" "$rd_kind"
}

# rd_see_text NAME NUMBER PATH: the content of a file that is no secret, in base64; nothing where there is none.
rd_see_text() { if [ -f "$3" ]; then printf '%s %s %s\n' "$1" "$2" "$(base64 <"$3" | tr -d '\n')"; fi; }

# rd_see_keys NUMBER ACCOUNT: the account's authorized_keys.
rd_see_keys() { getent passwd "$2" >/dev/null && rd_see_text keys "$1" "$(rd_home "$2")/.ssh/authorized_keys"; }

# rd_see_host_key NUMBER ACCOUNT FILE NAME HOST PORT: whether the account knows the host, and if not what it shows.
rd_see_host_key() {
  rd_file=$3
  [ -n "$rd_file" ] || ! getent passwd "$2" >/dev/null || rd_file=$(rd_home "$2")/.ssh/known_hosts
  if [ -n "$rd_file" ] && [ -f "$rd_file" ] && ssh-keygen -F "$4" -f "$rd_file" >/dev/null 2>&1; then
    printf 'known %s\n' "$1"
  else
    ssh-keyscan -T 5 -t ed25519,ecdsa,rsa -p "$6" -- "$5" 2>/dev/null | while read -r rd_name rd_type rd_blob rd_more; do
      case $rd_name in '#'*) ;; *) printf 'scan %s %s %s\n' "$1" "$rd_type" "$rd_blob${rd_more:+ }" ;; esac
    done
  fi
}

# rd_see_instance NAME DIRECTORY
rd_see_instance() {
  [ ! -e "$2/restart-$1" ] || printf 'restart %s\n' "$1"
  rd_systemd || return 0
  if systemctl is-enabled -q "rsyncdirector@$1" 2>/dev/null; then printf 'enabled %s\n' "$1"; fi
  if systemctl is-active -q "rsyncdirector@$1" 2>/dev/null; then printf 'active %s\n' "$1"; fi
}

# Changing. Every change may be made again after it was interrupted.

# rd_do_tools PACKAGE...
rd_do_tools() {
  if command -v apt-get >/dev/null; then
    apt-get -q update >/dev/null && apt-get -q -y install --no-install-recommends -- "$@" >/dev/null
  elif command -v dnf >/dev/null; then dnf -q -y install "$@" >/dev/null
  else rd_die "neither apt-get nor dnf is here: install $*"; fi || rd_die "cannot install $*"
}

# rd_do_account NAME HOME: one that may log in with a key, and never with a password.
rd_do_account() {
  getent group "$1" >/dev/null || groupadd --system -- "$1" || exit 1
  useradd --system --gid "$1" --create-home --home-dir "$2" --shell /bin/sh --password '*' -- "$1" || exit 1
}

# rd_do_groups ACCOUNT GROUP...
rd_do_groups() {
  rd_account=$1
  shift
  for rd_group in "$@"; do
    getent group "$rd_group" >/dev/null || groupadd --system -- "$rd_group" || exit 1
    usermod -a -G "$rd_group" -- "$rd_account" || exit 1
  done
}

# rd_do_directory PATH OWNER GROUP MODE
rd_do_directory() {
  # chmod follows a link that the owner of the directory above may have put there.
  [ ! -L "$1" ] || rd_die "$1 is a symbolic link: a directory is wanted"
  mkdir -p -- "$1" && chown -h -- "$2:$3" "$1" && chmod -- "$4" "$1" || exit 1
}

# rd_do_file PATH OWNER GROUP MODE STAMP MARK CHECK: puts standard input (base64) in the place of PATH. STAMP: the old
# one is kept as .bak-STAMP; MARK: a file that is made first, and says what has to be started anew.
rd_do_file() {
  rd_new=${1%/*}/.new-${1##*/}
  mkdir -p -- "${1%/*}" || exit 1
  rm -f -- "$rd_new"
  (umask 077 && base64 -d >"$rd_new") || exit 1
  chown -- "$2:$3" "$rd_new" && chmod -- "$4" "$rd_new" || exit 1
  # shellcheck disable=SC2034 # the check reads it
  new=$rd_new
  if [ -n "$7" ] && ! eval "$7"; then
    rm -f -- "$rd_new"
    rd_die "$1 stays as it was: the host refuses the new one"
  fi
  [ -z "$6" ] || : >"$6" || exit 1
  [ -z "$5" ] || [ ! -f "$1" ] || cp -p -- "$1" "$1.bak-$5" || exit 1
  mv -f -- "$rd_new" "$1" || exit 1
}

# rd_do_program KIND DIRECTORY SUM: installs standard input (base64).
rd_do_program() {
  rd_package=$(mktemp -d) || exit 1
  case $1 in deb) rd_file=$rd_package/rsyncdirector.deb ;; *) rd_file=$rd_package/rsyncdirector.tgz ;; esac
  base64 -d >"$rd_file" || exit 1
  chmod 755 "$rd_package"
  case $(sha256sum <"$rd_file") in "$3 "*) ;; *) rd_die 'the package has not arrived as it was sent' ;; esac
  rm -f -- "$2/package"
  case $1 in
    deb) apt-get -q update >/dev/null; apt-get -q -y install -- "$rd_file" >/dev/null ;;
    *) npm install --global --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error -- "$rd_file" >/dev/null ;;
  esac || rd_die 'the package cannot be installed'
  rm -rf -- "$rd_package"
  rsyncdirector --version >/dev/null || rd_die 'the program that was installed does not start'
  printf '%s\n' "$3" >"$2/package.new" && mv -f -- "$2/package.new" "$2/package" || exit 1
}

# rd_as ACCOUNT WORD...: as that account, so that no link in its directories can lead root astray.
rd_as() {
  rd_account=$1
  shift
  if [ "$rd_account" = root ]; then "$@"; else runuser -u "$rd_account" -- "$@"; fi
}

# rd_do_key PATH ACCOUNT COMMENT
rd_do_key() {
  rd_maker=root
  if [ ! -d "${1%/*}" ] && [ "${1%/*}" = "$(rd_home "$2")/.ssh" ]; then rd_as "$2" mkdir -m 700 -- "${1%/*}" || exit 1; fi
  if rd_as "$2" test -w "${1%/*}"; then rd_maker=$2; fi
  if [ ! -f "$1" ]; then
    rd_as "$rd_maker" rm -f -- "$1.new" "$1.new.pub"
    rd_as "$rd_maker" ssh-keygen -q -t ed25519 -N '' -C "$3" -f "$1.new" || exit 1
    [ "$rd_maker" = "$2" ] || chown -- "$2:" "$1.new" "$1.new.pub" || exit 1
    rd_as "$rd_maker" mv -f -- "$1.new.pub" "$1.pub" && rd_as "$rd_maker" mv -f -- "$1.new" "$1" || exit 1
  elif [ ! -f "$1.pub" ]; then
    # shellcheck disable=SC2016 # for the other shell
    rd_as "$rd_maker" sh -c 'ssh-keygen -y -f "$1" >"$1.pub.new" && mv -f -- "$1.pub.new" "$1.pub"' sh "$1" || exit 1
    [ "$rd_maker" = "$2" ] || chown -- "$2:" "$1.pub" || exit 1
  fi
}

# rd_do_ssh_file ACCOUNT PATH NAME: puts standard input (base64) in the place of PATH, or of NAME in the account's ~/.ssh.
rd_do_ssh_file() {
  rd_path=$2
  [ -n "$rd_path" ] || rd_path=$(rd_home "$1")/.ssh/$3
  rd_maker=$1
  case $rd_path in "$(rd_home "$1")"/*) ;; *) rd_maker=root ;; esac
  # shellcheck disable=SC2016 # for the other shell
  rd_as "$rd_maker" sh -c 'umask 077; mkdir -p -- "${1%/*}" && rm -f -- "$1.new" && base64 -d >"$1.new" && chmod "$2" "$1.new" && mv -f -- "$1.new" "$1"' \
    sh "$rd_path" "$([ "$rd_maker" = "$1" ] && printf 600 || printf 644)" || exit 1
}

# rd_do_start NAME DIRECTORY
rd_do_start() {
  systemctl daemon-reload && systemctl enable -q "rsyncdirector@$1" || exit 1
  rd_since=$(date +%s)
  if ! systemctl restart "rsyncdirector@$1"; then
    # What it said itself; systemctl only tells to look there.
    journalctl --sync 2>/dev/null
    journalctl -q --no-pager -o cat -n 3 --since "@$rd_since" "_SYSTEMD_UNIT=rsyncdirector@$1.service" >&2
    exit 1
  fi
  rm -f -- "$2/restart-$1"
}

# rd_forget_restart NAME DIRECTORY: where nothing can be started.
rd_forget_restart() { rm -f -- "$2/restart-$1"; }

# rd_do_doctor ACCOUNT CONFIG ENVFILE
rd_do_doctor() {
  # shellcheck disable=SC2016 # for the other shell
  rd_as "$1" sh -c '
    [ -z "$2" ] || while IFS= read -r line; do case $line in [A-Za-z_]*=*) export "$line" ;; esac; done <"$2"
    exec rsyncdirector doctor --config "$1"' sh "$2" "$3"
}
