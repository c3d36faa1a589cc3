#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# The kernel's USB/IP client attaches devices that `dext export` serves: usbtest on our Gadget Zero.
#
# Not applicable: usbtest's interrupt transfers (25, 26), because a Gadget Zero has no such endpoints.
# The isochronous ones (15, 16, 22, 23) run here and not against the gadget of the kernel, because
# dummy_hcd moves no isochronous transfers. 27 and 28 only measure, and take no pattern.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

attach_gadget_zero() {
	export_devices "virtual:gadget-zero,serial=ours$1"
	attach_export 1-1 ours
}

kernel_lists_and_attaches_the_export() {
	export_devices virtual:gadget-zero,serial=ours virtual:gadget-zero,speed=high,serial=slower
	usbip list -r 127.0.0.1 >/tmp/listed
	cat /tmp/listed
	expect "$(grep -c 0525:a4a0 /tmp/listed)" = 2
	attach_export 1-1 ours
	attach_export 1-2 slower
	find_device ours
	expect "$(cat "$path_/speed")" = 5000
	find_device slower
	expect "$(cat "$path_/speed")" = 480
	detach_exports
	wait_for 5 device_gone ours
	wait_for 5 device_gone slower
	background_end export
}

export_passes_usbtest() {
	attach_gadget_zero
	run_usbtest ours export
}

export_with_a_pattern_passes_usbtest() {
	USBTEST_NAMES='usbtest_[0-9]_* usbtest_1* usbtest_2[0-4]* usbtest_29*'
	attach_gadget_zero ,pattern=1
	run_usbtest ours export-pattern pattern=1
}

high_speed_export_passes_usbtest() {
	attach_gadget_zero ,speed=high
	run_usbtest ours export-high
}

export_passes_the_isochronous_cases() {
	USBTEST_NAMES='usbtest_iso_*'
	attach_gadget_zero
	run_usbtest ours export-iso alt=1
}

export_answers_as_the_gadget_of_the_kernel() {
	[ -f "$KERNEL_SHARE/usbtest.reference" ] || skip "the case usbtest was not run before this one"
	for name in '' -pattern; do
		diff "$KERNEL_SHARE/usbtest.reference$name" "$KERNEL_SHARE/usbtest.export$name"
	done
}

run_tests kernel_lists_and_attaches_the_export export_passes_usbtest \
	export_with_a_pattern_passes_usbtest high_speed_export_passes_usbtest \
	export_passes_the_isochronous_cases export_answers_as_the_gadget_of_the_kernel
