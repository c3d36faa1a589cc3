#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tools_programs - every program answers --help and --version, refuses what it does not know, and has
# its options in its man page.
#
#	tools_programs.sh PROGRAM[=PAGE]...
set -u
work=$(mktemp -d /tmp/dx-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

check() { # NAME COMMAND...
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $name"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $name"
		sed 's/^/# /' "$work/out" "$work/err"
	fi
}

run() { # STATUS ARGUMENT
	timeout 60 "$program" "$2" </dev/null >"$work/out" 2>"$work/err"
	[ $? -eq "$1" ]
}

helps() { # OPTION
	run 0 "$1" && [ ! -s "$work/err" ] && head -n 1 "$work/out" | grep -q "^usage: $base "
}

has_version() { # OPTION
	run 0 "$1" && [ ! -s "$work/err" ] && [ "$(wc -l <"$work/out")" -eq 1 ] &&
		grep -q "^$base .*[0-9]\.[0-9]" "$work/out"
}

refuses() { # OPTION
	run 2 "$1" && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
		grep -q "^$base: .*$1.*--help" "$work/err"
}

is_in_page() { # PAGE: every option of --help
	run 0 --help || return 1
	missing=$(grep -o -- '--[a-z][a-z-]*' "$work/out" | sort -u | while read -r option; do
		sed 's/\\-/-/g' "$1" | grep -q -- "$option" || echo "$option"
	done)
	[ -z "$missing" ] || { echo "not in the page: $missing" >"$work/err"; false; }
}

for pair in "$@"; do
	program=${pair%%=*}
	base=$(basename "$program")
	for option in --help -h; do
		check "${base}_has_help_with_$option" helps "$option"
	done
	for option in --version -V; do
		check "${base}_has_version_with_$option" has_version "$option"
	done
	for option in --frobnicate -Z; do
		check "${base}_refuses_$option" refuses "$option"
	done
	if [ "$pair" != "$program" ]; then
		check "${base}_has_its_options_in_its_page" is_in_page "${pair#*=}"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
