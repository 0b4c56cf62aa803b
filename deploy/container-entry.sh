#!/bin/sh
# What a container runs, its command and its health check, passes here. Docker gives capabilities to root alone: a container that
# is to read everything without root starts as root with CAP_DAC_READ_SEARCH, and becomes the account here, keeping just that.
set -eu

account=rsyncdirector

case ${RSYNCDIRECTOR_READ_EVERYTHING:-no} in
no) exec "$@" ;;
yes) ;;
*)
	echo "RSYNCDIRECTOR_READ_EVERYTHING=$RSYNCDIRECTOR_READ_EVERYTHING: must be yes or no" >&2
	exit 78
	;;
esac

if [ "$(id -u)" != 0 ]; then
	echo "RSYNCDIRECTOR_READ_EVERYTHING=yes needs --user root --cap-drop ALL --cap-add DAC_READ_SEARCH --cap-add SETUID --cap-add SETGID: root gives up all but the first" >&2
	exit 78
fi
export HOME=/var/lib/rsyncdirector
exec setpriv --reuid="$account" --regid="$account" --init-groups --no-new-privs \
	--inh-caps=+dac_read_search --ambient-caps=+dac_read_search -- "$@"
