#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# What a transfer costs through a driver, application included, beside a plain libusb program on the same
# device. Runs in the guest that counts instructions (scripts/check-kernel --count), where a nanosecond
# is an instruction and one run says the same as the next: so there are bounds.
#
# The device is a sink. A row is a point: bytes of a transfer, how many are in flight, how many of them one
# call of the application sends at most. Ratios are those of the plain program; its figures stand beside.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

count=${COST_COUNT:-1000}
goal=1.05

# key LINE KEY: its number.
key() {
	key_=" $1"
	case $key_ in
	*" $2="*) ;;
	*) return 1 ;;
	esac
	key_=${key_#*" $2="}
	echo "${key_%% *}"
}

plain() {
	"$KERNEL_BUILD/tests/kernel/plain_libusb" zero out "$@"
}

# Nothing here takes as long as the limits say: while the guest waits for its files, its clock leaps.
through_driver() {
	"$DEXT" run --timeout 3600 --device usb:0525:a4a0 "$KERNEL_BUILD/bench/driver/Bench.dext" -- \
		"$KERNEL_BUILD/tests/kernel/cost" "$@"
}

# row BYTES DEPTH BATCH BOUND: compares with $base; the share of CPU time may be BOUND times the plain one's.
row() {
	ours=$(through_driver "$1" "$2" "$count" "$3") || return 1
	awk -v bytes="$1" -v depth="$2" -v batch="$3" -v bound="$4" -v goal=$goal -v count="$count" \
		-v time="$(key "$ours" wall_ns)" -v cpu="$(key "$ours" cpu_ns)" \
		-v app="$(key "$ours" application_ns)" \
		-v plain_time="$(key "$base" wall_ns)" -v plain_cpu="$(key "$base" cpu_ns)" 'BEGIN {
		ratio = cpu / plain_cpu
		printf "# %6d %5d %5d %6.2f %6.2f %9.0f %9.0f %9.0f  %s\n", bytes, depth, batch,
			time / plain_time, ratio, plain_cpu / count, (cpu - app) / count, app / count,
			ratio <= goal ? "goal" : ratio <= bound ? "" : "OVER " bound
		exit !(ratio > 0 && ratio <= bound)
	}'
}

# point BYTES DEPTH BOUND-OF-SINGLE-CALLS BOUND-OF-BATCHES
point() {
	base=$(plain "$1" "$2" "$count") || return 1
	status=0
	row "$1" "$2" 1 "$3" || status=1
	[ -z "$4" ] || row "$1" "$2" "$2" "$4" || status=1
	return $status
}

# The bounds are what was measured and a tenth: they say when something has become dearer.
cpu_time_is_within_its_bounds() {
	gadget_make zero source-sink pattern=2
	gadget_plug zero
	plain 512 1 10 >/dev/null # what they need of the host's files is there from now on
	through_driver 512 1 10 1 >/dev/null
	echo "#  bytes depth batch   time    CPU     plain    driver       app"
	status=0
	while read -r bytes depth single batched; do
		point "$bytes" "$depth" "$single" "$batched" || status=1
	done <<-END
		512 1 4.0
		512 8 3.3 2.0
		512 32 3.1 1.7
		4096 1 3.1
		4096 8 2.2 1.5
		4096 32 2.0 1.4
		65536 1 1.4
		65536 8 1.2 1.1
		65536 32 1.2 1.1
	END
	return $status
}

run_tests cpu_time_is_within_its_bounds
