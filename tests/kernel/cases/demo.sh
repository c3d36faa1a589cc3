#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# The demo over usbfs, and what a user is told who cannot have the device.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

# Of a size that ends in a short packet: that is what ends a transfer of a loopback.
make_file() {
	head -c 1500007 /usr/bin/bash >/tmp/demo-file
}

demo() {
	"$DEXT" demo --file /tmp/demo-file --total 1 --size 64K --calls 100 --json "$@"
}

demo_returns_the_same_bytes() {
	make_file
	gadget_make zero loopback
	gadget_plug zero
	demo --device usb:0525:a4a0
}

# The device is in another configuration, which the driver changes, and a kernel driver has it.
demo_takes_the_device_from_a_kernel_driver() {
	make_file
	gadget_make zero source-sink
	gadget_plug zero
	load_modules usbtest
	wait_for 5 usbtest_has_claimed zero
	demo --device usb:0525:a4a0
}

device_is_found_by_port_and_by_serial_number() {
	make_file
	gadget_make first loopback
	gadget_make second loopback
	gadget_plug first dummy_udc.0
	gadget_plug second dummy_udc.1
	find_device second
	demo --device "usb:${path_##*/}"
	demo --device usb:0525:a4a0,serial=first
}

# refused TEXT COMMAND...: it fails, and says that.
refused() {
	refused_text_=$1
	shift
	if "$@" >/tmp/refused 2>&1; then
		echo "did not fail: $*"
		return 1
	fi
	cat /tmp/refused
	grep -q "$refused_text_" /tmp/refused
}

device_that_is_not_there_is_named() {
	refused '1234:5678' "$DEXT" demo --device usb:1234:5678
}

# The programs may lie where only root can go.
user_without_permission_is_told_the_rule() {
	gadget_make zero loopback
	gadget_plug zero
	node=$(device_node zero)
	chmod 600 "$node"
	mkdir -p /tmp/programs
	mount -o bind "$KERNEL_BUILD" /tmp/programs
	refused 'udev' /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups \
		/tmp/programs/src/tools/dext demo --device usb:0525:a4a0
	umount /tmp/programs
}

run_tests demo_returns_the_same_bytes demo_takes_the_device_from_a_kernel_driver \
	device_is_found_by_port_and_by_serial_number device_that_is_not_there_is_named \
	user_without_permission_is_told_the_rule
