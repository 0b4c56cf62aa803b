#!/bin/bash
# Stands in front of rsync on the hosts with copies, knows nothing of lock files, and writes down whether an rsync that
# touches the copies was alone. It becomes the real one, whose processes inherit two locked files: the kernel alone frees
# them, when the last of these processes has ended. One that is just dying lets go of one file before the other, so that
# it lives only as long as both are locked. One finds out at a time: of two that come together each could have locked one
# file, and would wait for the other's for ever.
case " $* " in
*" /srv/"*) ;;
*) exec /usr/bin/rsync "$@" ;;
esac
case " $* " in
*" --server "*) does=receives ;;
*) does=sends ;;
esac
name=$(hostname)
exec 3>>"/witness/$name.alive" 20>>"/witness/$name.alive-too" 21>>"/witness/$name.coming"
flock 21
if flock --nonblock 3; then
	flock 20
	found=alone
elif flock --nonblock 20; then
	flock 3
	found=alone
else
	found=met
fi
echo "$name $does $found" >>/witness/log
exec 21>&-
exec /usr/bin/rsync "$@"
