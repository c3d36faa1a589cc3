#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tools_man - man pages render without warnings and know every command and option.
#
#	tools_man.sh DEXT PAGE...
set -eu
dext=$1
shift
passed=0
failed=0

report() { # STATUS NAME
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $2"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $2"
	fi
}

# Minus signs are written \- in man pages.
text=$(cat "$@" | sed 's/\\-/-/g')
for command in $("$dext" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	missing=
	printf '%s\n' "$text" | grep -q "dext $command" || missing=$command
	for option in $("$dext" help "$command" | grep -o '^ \{1,\}\(-[a-z], \)\{0,1\}--[a-z-]*' |
		grep -o -- '--[a-z-]*'); do
		printf '%s\n' "$text" | grep -q -- "$option" || missing="$missing $option"
	done
	status=0
	[ -z "$missing" ] || { status=1; echo "# not in the man pages:$missing"; }
	report $status "man_pages_know_command_$command"
done

if command -v man >/dev/null && man --version >/dev/null 2>&1; then
	for page in "$@"; do
		warnings=$(MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
		[ -z "$warnings" ] || echo "# $warnings"
		status=0
		[ -z "$warnings" ] || status=1
		report $status "man_page_$(basename "$page")_renders_without_warnings"
	done
else
	echo "ok $((passed + failed + 1)) - man_pages_render_without_warnings # SKIP no man command"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
