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

driver_loses_the_device_at_100_points() {
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
	unplug_rounds 100 "$udc" "$newline" "$udc" dummy_udc.0
	wait_for 5 no_hosts
	expect "$(count_fds "$broker")" -le "$before"
	# It can tell of the last services that ended: a few KiB each.
	expect "$(data_kib "$broker")" -le $((data_before + 1024))
	background_end broker
}

run_tests driver_loses_the_device_at_100_points
