#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tools_completion - what bash offers behind the beginning of a command line.
#
#	tools_completion.sh DEXT COMPLETION
set -u
dext=$1
work=$(mktemp -d /tmp/dx-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# plugged NAME CLASS VENDOR PRODUCT: a device of this machine, for the completion.
plugged() {
	mkdir "$work/$1"
	echo "$2" >"$work/$1/bDeviceClass"
	echo "$3" >"$work/$1/idVendor"
	echo "$4" >"$work/$1/idProduct"
}

plugged usb1 09 1d6b 0002
plugged 1-1 09 05e3 0610
plugged 1-1.4 00 0525 a4a0
plugged 1-2 ef 0525 a4a0
plugged 3-1 00 1209 0001
mkdir "$work/1-2:1.0" "$work/4-1" # an interface; one that is just leaving

_dext_usb=$work
# shellcheck disable=SC1090
. "$2"
compopt() { :; }

# offers LINE: as bash cuts it into words, at blanks and at COMP_WORDBREAKS.
offers() {
	COMP_LINE="$dext $1"
	COMP_POINT=${#COMP_LINE}
	mapfile -t COMP_WORDS < <(printf '%s\n' "$1" | sed 's/[:=]/ & /g; s/ \{1,\}/\n/g')
	COMP_WORDS=("$dext" "${COMP_WORDS[@]}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_dext
	printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}

# check LINE OFFERS: exactly these, sorted.
check() {
	local found
	found=$(offers "$1")
	if [[ $found == "$2" ]]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - '$1'"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - '$1'"
		echo "# found: $found"
	fi
}

COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
check 'att' 'attach '
check 'attach usb' 'usb:0525:a4a0 usb:1-1.4 usb:1-2 usb:1209:0001 usb:3-1 '
check 'attach usb:' '0525:a4a0 1-1.4 1-2 1209:0001 3-1 '
check 'attach usb:1-' '1-1.4 1-2 '
check 'attach usb:0525:' 'a4a0 '
check 'export virtual:cd' 'cdc-acm '
check 'run --device usb:3' '3-1 '
check 'run --device=usb:3' '3-1 '
check 'run -d usb:3' '3-1 '
check 'device -d hid' 'hid-keyboard '
check 'run --device=virtual:hid' 'hid-keyboard '
check 'explain usb:3' '3-1 '
COMP_WORDBREAKS=$' \t\n"\'><=;|&('
check 'attach usb:1-' 'usb:1-1.4 usb:1-2 '

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
