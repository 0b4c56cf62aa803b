#!/bin/bash
# Writes what a real csync2 prints in the cases that src/action/csync2 reads, between three hosts in network
# namespaces, to test/fixtures/csync2-output/CASE.txt (standard output), CASE.stderr and status.tsv.
# Needs root, ip, openssl and csync2. Keys and the directory of the laboratory are replaced by fixed words.
set -eu

output=$(cd "$(dirname "$0")/.." && pwd)/test/fixtures/csync2-output
lab=$(mktemp -d)
own=rdcs$$
names=(alpha beta gamma)
daemons=()

cleanup() {
  for pid in "${daemons[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
  for name in "${names[@]}"; do ip netns del "$own-$name" 2>/dev/null || true; done
  ip netns del "$own-hub" 2>/dev/null || true
  rm -rf "$lab"
}
trap cleanup EXIT

mkdir -p "$output" "$lab/data"
rm -f "$output"/*
csync2 -k "$lab/key"
ip netns add "$own-hub"
ip -n "$own-hub" link add br0 type bridge
ip -n "$own-hub" link set br0 up
printf '127.0.0.1 localhost\n10.79.0.1 alpha\n10.79.0.2 beta\n10.79.0.3 gamma\n' >"$lab/hosts"

number=0
for name in "${names[@]}"; do
  number=$((number + 1))
  ip netns add "$own-$name"
  ip link add name eth0 netns "$own-$name" type veth peer name "to-$name" netns "$own-hub"
  ip -n "$own-hub" link set "to-$name" master br0 up
  ip -n "$own-$name" addr add "10.79.0.$number/24" dev eth0
  ip -n "$own-$name" link set eth0 up
  ip -n "$own-$name" link set lo up
  mkdir -p "$lab/$name/etc" "$lab/$name/db" "$lab/$name/data"
  cp "$lab/key" "$lab/$name/etc/key"
  cat >"$lab/$name/etc/csync2_lab.cfg" <<CFG
nossl * *;
group lab {
  host alpha beta gamma;
  key $lab/$name/etc/key;
  include $lab/data;
  exclude *.tmp;
}
CFG
done

# The words in single quotes are for the shell that is started.
# shellcheck disable=SC2016
# on HOST COMMAND…: with the host's own network, names and data.
on() {
  local name=$1
  shift
  ip netns exec "$own-$name" unshare --mount sh -c '
    mount --bind "$1/hosts" /etc/hosts; mount --bind "$1/$2/data" "$1/data"
    export CSYNC2_SYSTEM_DIR="$1/$2/etc"; shift 2; exec "$@"' sh "$lab" "$name" "$@"
}

# shellcheck disable=SC2016
serve() {
  setsid ip netns exec "$own-$1" unshare --mount sh -c '
    mount --bind "$1/hosts" /etc/hosts; mount --bind "$1/$2/data" "$1/data"
    export CSYNC2_SYSTEM_DIR="$1/$2/etc"; exec csync2 -ii -v -N "$2" -D "$1/$2/db"' sh "$lab" "$1" >"$lab/$1.log" 2>&1 &
  daemons+=($!)
  until grep -q Listening "$lab/$1.log"; do sleep 0.05; done
}

quiet() { run "$@" >/dev/null 2>&1 || true; }
run() {
  local name=$1
  shift
  on "$name" csync2 -C lab -N "$name" -D "$lab/$name/db" "$@"
}

clean() { sed -e "s#$lab/[a-z]*/etc#/etc#g" -e "s#$lab##g" -e "s/$(cat "$lab/key")/EXAMPLE_KEY/g" -e 's/^\(Adding peer x509 certificate to db: \).*/\1308202FB/'; }

# capture CASE HOST WORDS…
capture() {
  local case=$1 status=0
  shift
  run "$@" >"$lab/out" 2>"$lab/err" || status=$?
  clean <"$lab/out" >"$output/$case.txt"
  clean <"$lab/err" >"$output/$case.stderr"
  printf '%s\t%s\n' "$case" "$status" >>"$output/status.tsv"
}

a=$lab/alpha/data b=$lab/beta/data
for name in "${names[@]}"; do serve "$name"; done

capture list-empty alpha -M
mkdir -p "$a/d/e"
echo one >"$a/one"
echo two >"$a/d/e/two"
capture check alpha -c -r "$lab/data"
capture list alpha -M
capture update alpha -u -v -P beta
quiet alpha -u
printf n >"$a/$(printf 'new\nline')"
printf l >"$a/$(printf 'latin\377')"
echo x >"$a/Finished with 3 errors."
capture check-ignored alpha -c "$lab/data/x.tmp" /etc/passwd "$lab/data/Finished with 3 errors."
quiet alpha -c -r "$lab/data"
capture list-strange-names alpha -M
capture update-strange-names alpha -u -v -P beta
quiet alpha -u
rm "$a/one"
quiet alpha -c "$lab/data/one"
capture update-deletion alpha -u -v -P beta
quiet alpha -u
mkdir -p "$a/unknown/dir"
echo f >"$a/unknown/dir/file"
quiet alpha -c "$lab/data/unknown/dir/file"
capture update-unknown-directory alpha -u -v -P beta
capture list-unknown-directory alpha -M
quiet alpha -c -r "$lab/data"
quiet alpha -u
echo alpha >"$a/both"
echo beta beta >"$b/both"
quiet beta -c -r "$lab/data"
quiet alpha -c -r "$lab/data"
capture conflict alpha -u -v -P beta
capture conflict-causes alpha -u -vvv -P beta "$lab/data/both"
quiet alpha -f "$lab/data/both"
capture list-forced alpha -M
capture update-forced alpha -u -v -P beta
echo again again >"$b/both"
rm "$a/both"
quiet alpha -c "$lab/data/both"
capture conflict-deletion alpha -u -v -P beta
quiet alpha -f "$lab/data/both"
quiet alpha -u
echo k >"$a/k"
quiet alpha -c "$lab/data/k"
csync2 -k "$lab/beta/etc/other"
cp "$lab/beta/etc/other" "$lab/beta/etc/key"
capture wrong-key alpha -u -v -P beta
capture wrong-key-causes alpha -u -vvv -P beta "$lab/data/k"
cp "$lab/key" "$lab/beta/etc/key"
mv "$lab/beta/etc/csync2_lab.cfg" "$lab/beta/etc/away"
capture no-config-there alpha -u -v -P beta
mv "$lab/beta/etc/away" "$lab/beta/etc/csync2_lab.cfg"
kill -- "-${daemons[1]}"
wait "${daemons[1]}" 2>/dev/null || true
capture refused alpha -u -v -P beta
serve beta
capture unknown-peer alpha -u -v -P nosuch
sed -i 's/^nossl/# nossl/' "$lab"/*/etc/csync2_lab.cfg
capture no-certificate alpha -u -v -P beta
certificate() { openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=x -keyout "$lab/$1/etc/csync2_ssl_key.pem" -out "$lab/$1/etc/csync2_ssl_cert.pem" 2>/dev/null; }
certificate alpha
capture no-certificate-there alpha -u -v -P beta
certificate beta
quiet alpha -u -P beta
certificate beta
echo kk >"$a/k"
quiet alpha -c "$lab/data/k"
capture other-certificate alpha -u -v -P beta
sed -i 's/^# nossl/nossl/' "$lab"/*/etc/csync2_lab.cfg
touch "$lab/alpha/etc/csync2.lock"
capture lock-file alpha -M
rm "$lab/alpha/etc/csync2.lock"
sed -i 's/host alpha beta gamma/host alpha beta gamma zeta/' "$lab/alpha/etc/csync2_lab.cfg"
echo kkk >"$a/k"
quiet alpha -c "$lab/data/k"
capture no-address alpha -u -v -P zeta
cp "$lab/alpha/etc/csync2_lab.cfg" "$lab/saved"
echo 'group x { foo' >>"$lab/alpha/etc/csync2_lab.cfg"
capture syntax alpha -M
cp "$lab/saved" "$lab/alpha/etc/csync2_lab.cfg"
mv "$lab/alpha/etc/key" "$lab/alpha/etc/away"
capture no-key alpha -M
mv "$lab/alpha/etc/away" "$lab/alpha/etc/key"
capture no-database alpha -D "$lab/nowhere" -M
run alpha -N delta -M >"$lab/out" 2>"$lab/err" && status=0 || status=$?
clean <"$lab/out" >"$output/not-member.txt"
clean <"$lab/err" >"$output/not-member.stderr"
printf 'not-member\t%s\n' "$status" >>"$output/status.tsv"
mv "$lab/alpha/etc/csync2_lab.cfg" "$lab/alpha/etc/away"
capture no-config alpha -M
echo "wrote $(wc -l <"$output/status.tsv") cases to $output"
