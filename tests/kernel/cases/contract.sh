#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# The behaviour suite over usbfs: tests/contract/usb_test.c with a real device instead of a model; or
# with the one that OPENDEXT_TEST_GADGET_ZERO says, which is there then.
#
# Not here are the tests of what only a model can do on demand (a pattern, a stall, babble, leaving by
# itself, other speeds), and two that the gadget cannot serve: usb_alternate_settings, because
# dummy_hcd has no isochronous endpoints, and usb_timeout_tells_what_was_moved, because when the bytes
# come back is up to the gadget.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

export OPENDEXT_TEST_DEXTD="$KERNEL_BUILD/src/daemon/dextd"
export OPENDEXT_TEST_HOST="$KERNEL_BUILD/src/host/dext-host"
export OPENDEXT_TEST_BUNDLES="$KERNEL_BUILD/tests/contract/driver"

# Units of one packet: the loopback returns whole packets as soon as they are there.
if [ -z "${OPENDEXT_TEST_GADGET_ZERO:-}" ]; then
	gadget_make zero source-sink buflen=1024 qlen=128
	gadget_plug zero
	export OPENDEXT_TEST_GADGET_ZERO=usb:0525:a4a0
fi
"$KERNEL_BUILD/tests/contract/contract_process_test" \
	usb_source_and_sink \
	'usb_loopback_*' \
	usb_short_packet_is_success \
	'usb_async_*' \
	usb_abort \
	usb_close_of_the_interface_aborts \
	'usb_stall_*' \
	usb_clear_without_request_leaves_the_device_halted \
	'usb_control_*' \
	usb_set_configuration_back_and_forth \
	usb_checks_inside_the_driver \
	usb_second_client_of_the_interface_is_refused \
	usb_bundles_complete_each_entry \
	usb_unplug_completes_what_is_pending \
	'device_*'
