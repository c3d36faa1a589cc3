# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# guest.sh - what cases share: modules, waiting, the gadget, and the lines of a test program.
#
# A case that is a script:
#
#	. "$KERNEL_SOURCE/tests/kernel/guest.sh"
#
#	loopback_returns_what_was_sent() {	# runs under set -e in a process of its own
#		some_command
#		expect "$(other_command)" = yes
#	}
#	run_tests loopback_returns_what_was_sent
#
# A case runs in busybox: its commands are built in, and a program of the host takes the guest a
# tenth of a second to start. Nothing here waits for a time: wait_for looks until
# the state is there, and its limit, in seconds of an idle host times KERNEL_TIME_FACTOR, is only there
# for what hangs.

# shellcheck disable=SC2034,SC2086 # variables for those that read this file; lists are words
BUSYBOX=/run/check-kernel/busybox
DEXT=$KERNEL_BUILD/src/tools/dext
GADGETS=/sys/kernel/config/usb_gadget
DEVICES=/sys/bus/usb/devices
KERNEL_FIRST_MODULES='configfs usb-common usbcore udc-core libcomposite usb_f_ss_lb
	dummy_hcd:is_super_speed=1:num=2 usbmon'
export BUSYBOX DEXT GADGETS DEVICES

# load_modules NAME[:PARAMETER...]...: with what they need, from the package, not from the host.
load_modules() {
	for module in "$@"; do
		# shellcheck disable=SC2046
		/sbin/modprobe -d "$KERNEL_MODULES" $(echo "$module" | tr : ' ') || return
	done
}

unload_modules() {
	for module in "$@"; do
		[ ! -d "/sys/module/$(echo "$module" | tr - _)" ] || rmmod "$module" || return
	done
}

# Program of a case, and its time limit in seconds on an idle host.
case_program() {
	awk -v name="$1" '$1 == name { print $3 }' "$KERNEL_SOURCE/tests/kernel/cases.list" |
		sed "s,^BUILD/,$KERNEL_BUILD/,; s,^cases/,$KERNEL_SOURCE/tests/kernel/cases/,"
}

case_limit() {
	awk -v name="$1" '$1 == name { print $2 }' "$KERNEL_SOURCE/tests/kernel/cases.list"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	read -r wait_now_ _ </proc/uptime
	wait_end_=$((${wait_now_%.*} + $1 * KERNEL_TIME_FACTOR))
	shift
	until "$@" >/dev/null 2>&1; do
		read -r wait_now_ _ </proc/uptime
		if [ "${wait_now_%.*}" -ge "$wait_end_" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		$BUSYBOX usleep 20000
	done
}

# expect VALUE OPERATOR VALUE: as test(1), and says what it had.
expect() {
	[ "$@" ] || {
		echo "expected: $*" >&2
		exit 1
	}
}

# skip REASON: ends the test, which cannot be made here.
skip() {
	echo "SKIP $*"
	exit 77
}

# run_tests FUNCTION...: each is a test; prints and returns as the programs of tests/test.h do.
# With names as the script's arguments in KERNEL_TESTS only these run.
run_tests() {
	tests_passed_=0 tests_failed_=0 tests_number_=0
	tests_output_=$(mktemp)
	for test_ in "$@"; do
		tests_number_=$((tests_number_ + 1))
		test_status_=0
		# Not "if (...)": set -e means nothing inside a condition.
		(
			set -e
			"$test_"
		) >"$tests_output_" 2>&1 &
		wait $! || test_status_=$?
		if [ "$test_status_" -eq 0 ]; then
			tests_passed_=$((tests_passed_ + 1))
			echo "ok $tests_number_ - $test_"
			grep '^# ' "$tests_output_"
		elif [ "$test_status_" -eq 77 ] && grep -q '^SKIP ' "$tests_output_"; then
			echo "ok $tests_number_ - $test_ # $(grep -m 1 '^SKIP ' "$tests_output_")"
		else
			tests_failed_=$((tests_failed_ + 1))
			sed 's/^/    /' "$tests_output_"
			show_backgrounds | sed 's/^/    /'
			echo "not ok $tests_number_ - $test_"
		fi
		reset_usb
	done
	rm -f "$tests_output_"
	echo "$tests_passed_ passed, $tests_failed_ failed"
	[ "$tests_failed_" -eq 0 ]
}

# --- Programs beside a test -------------------------------------------------------------------

BACKGROUNDS=/run/check-kernel/backgrounds # a file NAME with the process id, and NAME.log, for each

# background NAME COMMAND...: starts it. It ends with the test.
background() {
	mkdir -p "$BACKGROUNDS"
	background_=$BACKGROUNDS/$1
	shift
	"$@" >"$background_.log" 2>&1 &
	echo $! >"$background_"
}

# background_says NAME TEXT: waits until it has printed TEXT; fails when it ends before.
background_says() {
	wait_for 5 background_said_or_ended "$@"
	grep -q -e "$2" "$BACKGROUNDS/$1.log"
}

background_said_or_ended() {
	grep -q -e "$2" "$BACKGROUNDS/$1.log" || ! background_runs "$1"
}

background_runs() {
	read -r background_pid_ <"$BACKGROUNDS/$1" && kill -0 "$background_pid_" 2>/dev/null &&
		! grep -q '^State:.*Z' "/proc/$background_pid_/status"
}

# background_end NAME [SIGNAL]: asks it to end and waits until it has.
background_end() {
	read -r background_pid_ <"$BACKGROUNDS/$1"
	kill "-${2:-TERM}" "$background_pid_" 2>/dev/null || true
	wait_for 2 background_ended "$1"
	rm -f "$BACKGROUNDS/$1"
}

background_ended() {
	! background_runs "$1"
}

show_backgrounds() {
	for background_ in "$BACKGROUNDS"/*.log; do
		[ -s "$background_" ] || continue
		background_=${background_##*/}
		echo "$background_:"
		tail -n 30 "$BACKGROUNDS/$background_"
	done
}

end_backgrounds() {
	for background_ in "$BACKGROUNDS"/*; do
		case $background_ in
		*.log | *'*') ;;
		*) background_end "${background_##*/}" || background_end "${background_##*/}" KILL ;;
		esac
	done
	rm -rf "$BACKGROUNDS"
}

# --- The gadget -------------------------------------------------------------------------------

# gadget_make NAME FIRST [buflen=N] [qlen=N] [pattern=N]: Gadget Zero; FIRST is source-sink or loopback,
# the configuration that hosts prefer. Source and sink is configuration 3, loopback 2, as g_zero has them.
# The loopback takes units of buflen bytes, less only at a short packet, and keeps up to qlen of them.
gadget_make() {
	gadget_=$GADGETS/$1
	mkdir "$gadget_"
	echo 0x0525 >"$gadget_/idVendor"
	echo 0xa4a0 >"$gadget_/idProduct"
	echo super-speed >"$gadget_/max_speed"
	mkdir "$gadget_/strings/0x409"
	echo OpenDext >"$gadget_/strings/0x409/manufacturer"
	echo "Gadget Zero" >"$gadget_/strings/0x409/product"
	echo "$1" >"$gadget_/strings/0x409/serialnumber"
	mkdir "$gadget_/functions/SourceSink.$1" "$gadget_/functions/Loopback.$1"
	gadget_set_ "$@" buflen 16384 SourceSink bulk_buflen
	gadget_set_ "$@" buflen 16384 Loopback bulk_buflen
	gadget_set_ "$@" qlen 32 Loopback qlen
	gadget_set_ "$@" pattern 0 SourceSink pattern
	case $2 in
	loopback) gadget_order_='Loopback:2 SourceSink:3' ;;
	*) gadget_order_='SourceSink:3 Loopback:2' ;;
	esac
	for part_ in $gadget_order_; do
		mkdir "$gadget_/configs/c.${part_#*:}"
		ln -s "$gadget_/functions/${part_%:*}.$1" "$gadget_/configs/c.${part_#*:}/"
	done
}

# gadget_set_ NAME FIRST [KEY=VALUE]... KEY DEFAULT FUNCTION ATTRIBUTE: what gadget_make was told, or not.
gadget_set_() {
	gadget_options_=" $*"
	gadget_name_=$1
	shift $(($# - 4))
	gadget_value_=$2
	case $gadget_options_ in
	*" $1="*)
		gadget_value_=${gadget_options_#*" $1="}
		gadget_value_=${gadget_value_%% *}
		;;
	esac
	echo "$gadget_value_" >"$GADGETS/$gadget_name_/functions/$3.$gadget_name_/$4"
}

# gadget_plug NAME [UDC], gadget_unplug NAME. Plugging waits until the host has configured the device.
gadget_plug() {
	echo "${2:-dummy_udc.0}" >"$GADGETS/$1/UDC"
	wait_for 5 device_configured "$1"
	udevadm settle --timeout=$((20 * KERNEL_TIME_FACTOR))
}

gadget_unplug() {
	echo >"$GADGETS/$1/UDC"
	wait_for 5 device_gone "$1"
}

gadget_remove() {
	[ -z "$(cat "$GADGETS/$1/UDC")" ] || echo >"$GADGETS/$1/UDC"
	rm -f "$GADGETS/$1"/configs/*/*.* "$GADGETS/$1"/os_desc/c.*
	rmdir "$GADGETS/$1"/configs/* "$GADGETS/$1"/functions/* "$GADGETS/$1"/strings/* "$GADGETS/$1"
}

# device_path SERIAL: the directory in sysfs of the device with that serial number.
device_path() {
	find_device "$1" && echo "$path_"
}

# find_device SERIAL: the same in path_. It may go while one looks.
find_device() {
	for path_ in "$DEVICES"/*/serial; do
		serial_=
		read -r serial_ 2>/dev/null <"$path_" || continue
		if [ "$serial_" = "$1" ]; then
			path_=${path_%/*}
			return 0
		fi
	done
	return 1
}

device_configured() {
	value_=
	find_device "$1" && read -r value_ <"$path_/bConfigurationValue" && [ -n "$value_" ]
}

device_gone() {
	! find_device "$1"
}

# device_node SERIAL: its node in /dev/bus/usb.
device_node() {
	find_device "$1" && read -r bus_ <"$path_/busnum" && read -r number_ <"$path_/devnum" &&
		printf '/dev/bus/usb/%03d/%03d\n' "$bus_" "$number_"
}

# --- usbtest ----------------------------------------------------------------------------------

# run_usbtest SERIAL NAME [MODULE-PARAMETER=VALUE...]: the kernel's usbtest on a device
# that nobody has claimed yet; its lines are kept as $KERNEL_SHARE/usbtest.NAME.
run_usbtest() {
	usbtest_serial_=$1 usbtest_file_=$KERNEL_SHARE/usbtest.$2
	shift 2
	load_modules "usbtest:$(echo "$*" | tr ' ' :)"
	wait_for 5 usbtest_has_claimed "$usbtest_serial_"
	usbtest_status_=0
	OPENDEXT_USBTEST_NODE=$(device_node "$usbtest_serial_") \
		"$KERNEL_BUILD/tests/kernel/usbtest" ${USBTEST_NAMES:-'usbtest_[0-9]*'} \
		>"$usbtest_file_" || usbtest_status_=$?
	cat "$usbtest_file_"
	unload_modules usbtest
	return "$usbtest_status_"
}

usbtest_has_claimed() {
	set -- "$(device_path "$1")"/*:*/driver
	[ "$(basename "$(readlink "$1")")" = usbtest ]
}

# --- USB/IP -----------------------------------------------------------------------------------

VHCI=/sys/devices/platform/vhci_hcd.0

# export_devices SPEC...: dext export, which gives them the bus ids 1-1, 1-2, ...
export_devices() {
	background export "$DEXT" export "$@"
	background_says export 1-$#
}

# attach_export BUSID SERIAL: the kernel's client takes a device; waits until it is configured.
attach_export() {
	load_modules usbip-core vhci-hcd
	usbip attach -r 127.0.0.1 -b "$1"
	wait_for 5 device_configured "$2"
	udevadm settle --timeout=$((20 * KERNEL_TIME_FACTOR))
}

# vhci_ports: numbers of the ports that have a device.
vhci_ports() {
	# To this awk 0015 is a number with the base 8.
	[ ! -e "$VHCI/status" ] ||
		awk '$3 == "006" { sub(/^0+/, "", $2); print $2 == "" ? 0 : $2 }' "$VHCI"/status*
}

detach_exports() {
	for port_ in $(vhci_ports); do
		echo "$port_" >"$VHCI/detach"
	done
	wait_for 5 no_vhci_ports
}

no_vhci_ports() {
	[ -z "$(vhci_ports)" ]
}

# give_back_exported: usbip-host would take the next device in the same place by itself, unless it is told
# while it has this one. (Unloading it can crash Linux 6.1.)
give_back_exported() {
	for bound_ in "$DEVICES/../drivers/usbip-host"/*-*; do
		[ ! -e "$bound_" ] || usbip unbind -b "${bound_##*/}"
	done
}

# reset_usb: nothing of one case is there for the next one.
reset_usb() {
	detach_exports
	end_backgrounds
	give_back_exported
	for gadget_ in "$GADGETS"/*; do
		[ ! -d "$gadget_" ] || gadget_remove "$(basename "$gadget_")"
	done
	unload_modules usbtest
}
