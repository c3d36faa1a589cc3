#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# Linux's driver usbtest on Linux's own gadget: the reference for what it says of our devices.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

gadget_passes_usbtest() {
	gadget_make zero source-sink buflen=4096
	gadget_plug zero
	run_usbtest zero reference pattern=0
	gadget_remove zero
}

# Without 27 and 28, which measure, and compare nothing.
gadget_with_a_pattern_passes_usbtest() {
	USBTEST_NAMES='usbtest_[0-9]_* usbtest_1* usbtest_2[0-4]* usbtest_29*'
	gadget_make zero source-sink buflen=4096 pattern=1
	gadget_plug zero
	run_usbtest zero reference-pattern pattern=1
	gadget_remove zero
}

run_tests gadget_passes_usbtest gadget_with_a_pattern_passes_usbtest
