#!/bin/sh
# A host of the scenario: an sshd, and beside it, as the account, what the compose file names.
set -eu

name=$(hostname)
mkdir -p /run/sshd
# The account of the image is locked, and sshd lets no locked account in.
usermod --password '*' --shell /bin/sh rsyncdirector
/usr/sbin/sshd -e -f /scenario/sshd_config -h "/keys/$name.host" -o "AuthorizedKeysFile=/keys/$name.authorized"
export HOME=/var/lib/rsyncdirector
exec setpriv --reuid=rsyncdirector --regid=rsyncdirector --init-groups -- "$@"
