#!/bin/sh
# The program with the runtime that lies beside it: the host needs none.
exec /usr/lib/rsyncdirector/bin/node /usr/lib/rsyncdirector/dist/main.js "$@"
