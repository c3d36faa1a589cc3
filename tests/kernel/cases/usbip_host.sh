#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# Our USB/IP client on the kernel's server: usbip-host and usbipd of Debian export a gadget.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

# export_gadget NAME FIRST [KEY=VALUE]...: makes it, plugs it in, and has usbipd offer it as $busid.
export_gadget() {
	load_modules usbip-core usbip-host
	gadget_make "$@"
	gadget_plug "$1"
	find_device "$1"
	busid=${path_##*/}
	usbip bind -b "$busid"
	background usbipd usbipd -4
	wait_for 5 usbipd_offers "$busid"
}

usbipd_offers() {
	usbip list -r 127.0.0.1 2>/dev/null | grep -q "^ *$1: "
}

demo_over_usbip() {
	"$DEXT" demo --file /tmp/demo-file --total 1 --size 64K --calls 100 --json \
		--device "usbip:127.0.0.1/$busid"
}

kernel_offers_the_gadget() {
	export_gadget zero loopback
	usbip list -r 127.0.0.1 | grep 0525:a4a0
}

demo_returns_the_same_bytes() {
	head -c 1500007 /usr/bin/bash >/tmp/demo-file
	export_gadget zero loopback
	demo_over_usbip
	# The server has the device back: another client can have it.
	demo_over_usbip
}

device_that_somebody_has_is_refused() {
	export_gadget zero loopback
	background first "$DEXT" run --device "usbip:127.0.0.1/$busid" \
		"$KERNEL_BUILD/examples/stream/Stream.dext" -- sh -c 'echo has it; exec sleep 100000'
	background_says first 'has it'
	if demo_over_usbip >/tmp/refused 2>&1; then
		return 1
	fi
	cat /tmp/refused
	grep -q "$busid" /tmp/refused
}

device_without_an_export_is_named() {
	export_gadget zero loopback
	busid=9-9
	if demo_over_usbip >/tmp/refused 2>&1; then
		return 1
	fi
	cat /tmp/refused
	grep -q 9-9 /tmp/refused
}

behaviour_suite_runs_over_usbip() {
	export_gadget zero source-sink buflen=1024 qlen=128
	OPENDEXT_TEST_GADGET_ZERO=usbip:127.0.0.1/$busid \
		"$KERNEL_SOURCE/tests/kernel/cases/contract.sh"
}

run_tests kernel_offers_the_gadget demo_returns_the_same_bytes device_that_somebody_has_is_refused \
	device_without_an_export_is_named behaviour_suite_runs_over_usbip
