#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# The guest itself: without these states the other cases prove nothing.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

root_is_writable_and_host_is_not() {
	echo x >/usr/check-kernel-was-here
	rm /usr/check-kernel-was-here
	expect "$(awk '$2 == "/" { print $3 }' /proc/mounts)" = overlay
}

gadget_is_a_super_speed_device() {
	gadget_make zero source-sink
	gadget_plug zero
	path=$(device_path zero)
	expect "$(cat "$path/idVendor"):$(cat "$path/idProduct")" = 0525:a4a0
	expect "$(cat "$path/speed")" = 5000
	expect "$(cat "$path/bNumConfigurations")" = 2
	expect "$(cat "$path/bConfigurationValue")" = 3
	node=$(device_node zero)
	[ -c "$node" ]
	# The descriptors through usbfs: a device descriptor of 18 bytes comes first.
	expect "$(head -c 1 "$node" | od -An -tu1 | tr -d ' ')" = 18
	gadget_unplug zero
	[ ! -e "$node" ]
}

first_configuration_is_what_the_gadget_says() {
	gadget_make loop loopback
	gadget_plug loop
	expect "$(cat "$(device_path loop)/bConfigurationValue")" = 2
	gadget_remove loop
}

two_equal_gadgets_are_two_devices() {
	gadget_make first source-sink
	gadget_make second source-sink
	gadget_plug first dummy_udc.0
	gadget_plug second dummy_udc.1
	expect "$(device_node first)" != "$(device_node second)"
	gadget_remove first
	gadget_remove second
}

run_tests root_is_writable_and_host_is_not gadget_is_a_super_speed_device \
	first_configuration_is_what_the_gadget_says two_equal_gadgets_are_two_devices
