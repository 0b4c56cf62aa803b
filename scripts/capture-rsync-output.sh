#!/bin/sh
# Writes what a real rsync prints in the cases that src/rsync parses to
# test/fixtures/rsync-output/VERSION/CASE.txt (standard output) and CASE.stderr.
#
# usage: scripts/capture-rsync-output.sh [RSYNC]
#
# RSYNC is a program, by default the one in PATH. Any version can be unpacked beside the installed one:
#   apt-get download rsync=3.2.7-1+deb12u6 && dpkg -x rsync_*.deb /tmp/rsync327
#   scripts/capture-rsync-output.sh /tmp/rsync327/usr/bin/rsync
set -eu

rsync=${1:-rsync}
version=$("$rsync" --version | sed -n '1s/^rsync *version \([^ ]*\).*/\1/p')
output=$(cd "$(dirname "$0")/.." && pwd)/test/fixtures/rsync-output/$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$output"
cd "$scratch"
export LC_ALL=C.UTF-8 TZ=UTC

# A tree with every kind of path, names that imitate rsync's own output among them.
mkdir -p src/dir/sub 'src/sp ace' src/empty
head -c 700000 /dev/zero | tr '\0' x >src/big
printf 'one\n' >src/dir/file
printf 'two\n' >'src/sp ace/file two'
printf 'x\n' >'src/Number of files: 99'
printf 'x\n' >"src/new
Number of files: 77 (reg: 77)
line"
mkdir -p "src/cr$(printf '\r')        1,000 100%    1.00MB/s    0:00:01 (xfr#9, to-chk=0/9)"
printf 'x\n' >"src/$(printf 'latin\351')"
printf 'x\n' >src/schön
printf 'x\n' >'src/back\slash'
printf 'x\n' >'src/\#012escape'
printf 'x\n' >'src/arrow -> nowhere'
printf 'x\n' >'src/hard => link'
printf 'x\n' >'src/*deleting fake'
# shellcheck disable=SC2016 # the name is meant as it stands
printf 'x\n' >'src/$(touch PWNED) `id`'
ln -s dir/file src/link
ln -s 'arrow -> nowhere' 'src/a -> b'
ln src/dir/file src/dir/hard
mkfifo src/fifo
chmod 755 src/dir
find src -exec touch -h -d '2026-01-02 03:04:05' {} +

# capture CASE ARGUMENT... runs rsync with what the program itself always adds.
capture() {
  name=$1
  shift
  status=0
  "$rsync" "$@" >"$output/$name.txt" 2>"$output/$name.stderr" || status=$?
  sed -i "s#$scratch#/scratch#g" "$output/$name.txt" "$output/$name.stderr"
  [ -s "$output/$name.stderr" ] || rm "$output/$name.stderr"
  printf '%s\t%s\n' "$name" "$status" >>"$output/status.tsv"
}
: >"$output/status.tsv"

capture first -aHi --stats --no-human-readable --outbuf=L --info=progress2 src/ dst/
capture unchanged -aHi --stats --no-human-readable --outbuf=L --info=progress2 src/ dst/
capture verbose -avv --stats --no-human-readable --outbuf=L --info=progress2 src/ verbose/
capture very-verbose -avvv --stats --no-human-readable --outbuf=L --info=progress2 src/ very-verbose/
capture human -ah --stats --outbuf=L src/ human/
capture human-overruled -ahh --progress --stats --no-human-readable --outbuf=L --info=progress2 src/ human-overruled/
capture grouped -a --stats --info=progress2 src/ grouped/
capture progress -a --progress --stats --no-human-readable --outbuf=L --info=progress2 src/ progress/
capture slow -a --bwlimit=200 --stats --no-human-readable --outbuf=L --info=progress2 src/big slow/
capture quiet -aq --stats --no-human-readable --outbuf=L src/ quiet/
capture dry-run -aHin --stats --no-human-readable --outbuf=L --info=progress2 src/ dry/

printf 'longer than before\n' >src/dir/file
chmod 700 src/dir
touch -d '2026-02-03 04:05:06' 'src/sp ace/file two'
rm src/fifo 'src/*deleting fake'
ln -sfn other src/link
mkdir dst/extra && printf 'x\n' >'dst/extra/will -> go' && printf 'x\n' >"dst/gone
too"
capture changed -aHi --delete --stats --no-human-readable --outbuf=L --info=progress2 src/ dst/
mkdir many && for n in 1 2 3 4 5; do printf 'x\n' >many/$n; done
"$rsync" -a many/ limited/ && rm many/* && printf 'x\n' >many/new
capture max-delete -ai --delete --max-delete=2 --stats --no-human-readable --outbuf=L --info=progress2 many/ limited/
capture missing-source -a --stats --no-human-readable --outbuf=L --info=progress2 missing/ missing-out/
capture missing-parent -a --stats --no-human-readable --outbuf=L --info=progress2 src/ no/such/parent/
capture bad-option --no-such-option src/ dst/
printf '#!/bin/sh\necho "Host key verification failed." >&2\nexit 255\n' >ssh-key && chmod +x ssh-key
capture host-key -a -e ./ssh-key src/ host:dst/
if [ "$(id -u)" = 0 ]; then
  ln -s src/dir planted && chown -h nobody planted
  capture insecure-link -a --stats --no-human-readable --outbuf=L --info=progress2 src/ planted/
fi
