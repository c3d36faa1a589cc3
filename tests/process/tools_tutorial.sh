#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tools_tutorial - what docs/tutorial.md says is built, run and compared.
#
#	tools_tutorial.sh TUTORIAL.md BUILD-DIRECTORY
#
# A file is a code block after a line "`NAME`:"; the commands are those of the page, with the path of
# the build directory put in.
set -eu
tutorial=$(realpath "$1")
build=$(realpath "$2")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

fail() {
	echo "tools_tutorial: $*" >&2
	echo "0 passed, 1 failed"
	exit 1
}

# take NAME: the block after "`NAME`:".
take() {
	awk -v name="\`$1\`:" '
		$0 == name { wanted = 1; next }
		wanted && /^```/ { if (inside) exit; inside = 1; next }
		inside { print }' "$tutorial" >"$1"
	[ -s "$1" ] || fail "no file $1 in $tutorial"
}

# Command lines of the page that start with a word, with "build" being the build directory.
commands() {
	awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$tutorial" |
		grep "^$1" | grep -v -- --keep | sed "s|\\bbuild/|$build/|g"
}

take driver.c
take Info.plist
take app.c
for word in 'export PKG' mkdir cp gcc 'export LD'; do
	commands "$word" >>script
done
sh -eu ./script || fail "the commands of the page do not work"
# The last one runs it.
(
	eval "$(commands 'export LD')"
	eval "$(commands build/src/tools/dext)"
) >output 2>errors || { cat errors >&2; fail "dext run failed"; }
expected='the driver says 5, its log says 5'
[ "$(cat output)" = "$expected" ] || fail "printed '$(cat output)' instead of '$expected'"
grep -qxF "$expected" "$tutorial" || fail "the page says something else"
echo "1 passed, 0 failed"
