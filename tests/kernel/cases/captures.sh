#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# The same traffic, captured twice: by `dext run --capture` and by the kernel's usbmon. What is in the two
# files is compared when the guest has ended, by captures_after.py with tshark.
#
# usbmon listens before the device is plugged in, so that its file has the descriptors, too.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

captures=$KERNEL_SHARE/captures

# begin_capture KIND SERIAL: usbmon listens, the device is there.
begin_capture() {
	mkdir -p "$captures"
	bus_of dummy_hcd.0
	background usbmon "$KERNEL_BUILD/tests/kernel/usbmon" "$bus" "$captures/$1.usbmon.pcap"
	background_says usbmon listening
	gadget_plug "$2"
	find_device "$2"
	read -r address <"$path_/devnum"
	echo "$bus.$address" >"$captures/$1.device"
	for endpoint in "$path_"/*:*/ep_8*; do
		endpoint=${endpoint##*_}
	done
	echo "$endpoint" >"$captures/$1.endpoint"
}

# run_traffic KIND: with a capture of ours.
run_traffic() {
	"$DEXT" run --capture "$captures/$1.ours.pcapng" --device usb:0525:a4a0 \
		"$KERNEL_BUILD/tests/contract/driver/ContractTest.dext" -- \
		"$KERNEL_BUILD/tests/kernel/traffic" "$1" "$endpoint"
}

end_capture() {
	background_end usbmon
	cat "$BACKGROUNDS/usbmon.log"
	grep -q ' 0 lost, 0 cut' "$BACKGROUNDS/usbmon.log"
}

# bus_of UDC: the super speed bus that its devices come to.
bus_of() {
	for hub in "$DEVICES"/usb*; do
		case $(readlink -f "$hub") in
		*/"$1"/*)
			read -r speed <"$hub/speed"
			[ "$speed" != 5000 ] || read -r bus <"$hub/busnum"
			;;
		esac
	done
}

bulk_and_control_are_captured() {
	gadget_make zero source-sink pattern=1
	begin_capture bulk zero
	run_traffic bulk
	gadget_unplug zero
	end_capture
}

# A HID gadget that returns what it gets: reports of up to 16 bytes, on interrupt endpoints.
interrupt_transfers_are_captured() {
	unload_modules usbhid # of a case before this: it would talk to the device, too
	load_modules usb_f_hid
	gadget_make echo source-sink
	rm "$GADGETS"/echo/configs/*/*.echo
	rmdir "$GADGETS"/echo/configs/c.2
	mkdir "$GADGETS/echo/functions/hid.echo"
	echo 16 >"$GADGETS/echo/functions/hid.echo/report_length"
	# Vendor defined; 16 bytes in, 16 bytes out.
	printf '\006\240\377\011\001\241\001\011\003\025\000\046\377\000\165\010' \
		>/tmp/report
	printf '\225\020\201\002\011\004\221\002\300' >>/tmp/report
	cat /tmp/report >"$GADGETS/echo/functions/hid.echo/report_desc"
	ln -s "$GADGETS/echo/functions/hid.echo" "$GADGETS/echo/configs/c.3/"
	background echo return_reports
	begin_capture interrupt echo
	run_traffic interrupt
	gadget_unplug echo
	background_end echo
	end_capture
}

return_reports() {
	wait_for 5 test -c /dev/hidg0
	exec $BUSYBOX cat </dev/hidg0 >/dev/hidg0
}

device_that_leaves_is_captured() {
	gadget_make zero loopback
	begin_capture lost zero
	background traffic run_traffic lost
	background_says traffic pending
	gadget_unplug zero
	wait $!
	end_capture
}

run_tests bulk_and_control_are_captured interrupt_transfers_are_captured device_that_leaves_is_captured
