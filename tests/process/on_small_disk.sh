#!/bin/sh
# SPDX-License-Identifier: MIT
#
# on_small_disk - runs a command in a directory that is a small file system, seen by nobody else.
#
#	on_small_disk.sh MOUNT-OPTIONS DIRECTORY COMMAND [ARGUMENT...]
#
# Exit status: the command's; 77 where this process may not mount. It may as root, as root of a name
# space of its own, and, where / is no mount point (chroot), when the mounts of others are left as they
# are. The file system is then seen by them, too, until the command ends.
set -u

if [ "$1" = inside ]; then
	options=$2 directory=$3
	shift 3
	mount -t tmpfs -o "$options" none "$directory" 2>/dev/null || exit 77
	(cd "$directory" && "$@")
	status=$?
	umount "$directory"
	exit $status
fi

for how in '-m' '-rm' '-m --propagation unchanged'; do
	# shellcheck disable=SC2086 # several words
	if unshare $how sh "$0" inside "$1" "$2" true 2>/dev/null; then
		exec unshare $how sh "$0" inside "$@"
	fi
done
exit 77
