#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# A device leaves in the middle of transfers at random points, 100 in all: nothing hangs, nothing is left,
# and every transfer ends with the code of a lost device. UNPLUG_SEED repeats a run.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

seed=${UNPLUG_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}

count_fds() {
	ls "/proc/$1/fd" | wc -l
}

# Data of a process in KiB: heap and stacks.
data_kib() {
	awk '$1 == "VmData:" { print $2 }' "/proc/$1/status"
}

# start_broker: one that takes Gadget Zeros as they come. $broker is its process.
start_broker() {
	rm -f /tmp/broker
	background broker "$KERNEL_BUILD/src/daemon/dextd" --socket /tmp/broker --usb 0525:a4a0 \
		--bundle "$KERNEL_BUILD/examples/stream/Stream.dext" \
		--host-program "$KERNEL_BUILD/src/host/dext-host" --ready-fd 1
	background_says broker ready
	read -r broker <"$BACKGROUNDS/broker"
	export OPENDEXT_SOCKET=/tmp/broker
}

no_hosts() {
	! pidof dext-host
}

# unplug_rounds ROUNDS UNPLUG-FILE TEXT PLUG-FILE TEXT
unplug_rounds() {
	GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
		"$KERNEL_BUILD/tests/kernel/unplug" "$1" "$seed" "$2" "$3" "$4" "$5" || {
		echo "repeat with UNPLUG_SEED=$seed"
		return 1
	}
}

driver_loses_the_device_at_75_points() {
	echo "# seed $seed"
	gadget_make zero loopback buflen=4096
	gadget_plug zero
	start_broker
	udc=$GADGETS/zero/UDC
	newline='
'
	unplug_rounds 6 "$udc" "$newline" "$udc" dummy_udc.0
	wait_for 5 no_hosts
	before=$(count_fds "$broker")
	data_before=$(data_kib "$broker")
	echo dummy_udc.0 >"$udc"
	unplug_rounds 75 "$udc" "$newline" "$udc" dummy_udc.0
	wait_for 5 no_hosts
	expect "$(count_fds "$broker")" -le "$before"
	# It can tell of the last services that ended: a few KiB each.
	expect "$(data_kib "$broker")" -le $((data_before + 1024))
	background_end broker
}

# The other end: the kernel's client leaves while it has requests at our server.
export_loses_the_kernel_at_25_points() {
	export_devices virtual:gadget-zero,mode=loopback,serial=ours
	read -r server <"$BACKGROUNDS/export"
	before=$(count_fds "$server")
	state=$seed
	for round in $(seq 25); do
		# How many requests the kernel has sent to the device by then.
		state=$(((state * 1103515245 + 12345) & 0x7fffffff))
		point=$((state >> 16 & 63))
		attach_export 1-1 ours
		find_device ours
		background plain "$KERNEL_BUILD/tests/kernel/plain_libusb" ours loopback 4096 8 1000000
		wait_for 5 has_sent "$path_" $point
		detach_exports
		wait_for 5 device_gone ours
		wait_for 5 background_ended plain
		rm -f "$BACKGROUNDS/plain"
		wait_for 5 server_has_fds $before
	done
	# It still serves.
	attach_export 1-1 ours
	"$KERNEL_BUILD/tests/kernel/plain_libusb" ours loopback 4096 8 100
	detach_exports
	background_end export
}

has_sent() {
	read -r sent <"$1/urbnum" && [ "$sent" -ge $((20 + $2)) ]
}

server_has_fds() {
	[ "$(count_fds "$server")" -le "$1" ]
}

run_tests driver_loses_the_device_at_75_points export_loses_the_kernel_at_25_points
