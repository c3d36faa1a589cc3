#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# A plain libusb program on the gadget: usbfs works, and the yardstick of the costs does.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

moves() {
	gadget_make zero source-sink
	gadget_plug zero
	"$KERNEL_BUILD/tests/kernel/plain_libusb" zero "$@"
	gadget_remove zero
}

sink_takes_what_is_sent() {
	moves out 4096 8 200
}

source_sends() {
	moves in 4096 8 200
}

loopback_returns_what_was_sent() {
	moves loopback 4096 8 200
}

large_transfers_come_back() {
	moves loopback 65536 4 20
}

interface_of_another_driver_is_taken_over_and_given_back() {
	gadget_make zero source-sink
	gadget_plug zero
	load_modules usbtest
	wait_for 5 usbtest_has_claimed zero
	"$KERNEL_BUILD/tests/kernel/plain_libusb" zero out 4096 1 10
	wait_for 5 usbtest_has_claimed zero
}

run_tests sink_takes_what_is_sent source_sends loopback_returns_what_was_sent \
	large_transfers_come_back interface_of_another_driver_is_taken_over_and_given_back
