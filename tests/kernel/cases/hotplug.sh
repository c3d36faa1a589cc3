#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# A broker that takes the gadgets as they come: what applications hear, what dext shows, who gets which
# device, and what a broker finds that comes later.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

STREAM=$KERNEL_BUILD/examples/stream/Stream.dext
CONTRACT=$KERNEL_BUILD/tests/contract/driver/ContractTest.dext
HALVES=$KERNEL_BUILD/tests/kernel/halves/Halves.dext
export OPENDEXT_SOCKET=/tmp/broker
wanted='--usb 0525:a4a0 --usb 0525:a4a1' # what a broker attaches by itself

# start_broker BUNDLE...
start_broker() {
	bundles_=
	for bundle_ in "$@"; do
		bundles_="$bundles_ --bundle $bundle_"
	done
	rm -f /tmp/broker
	# shellcheck disable=SC2086
	background broker "$KERNEL_BUILD/src/daemon/dextd" --socket /tmp/broker $wanted \
		$bundles_ --host-program "$KERNEL_BUILD/src/host/dext-host" --ready-fd 1
	background_says broker ready
}

# watch NAME: what an application hears of services of that name.
watch() {
	background notices "$KERNEL_BUILD/tests/kernel/notices" "$1"
}

# heard LINE: the id in it.
heard() {
	background_says notices "$1: "
	sed -n "s/^$1: //p" "$BACKGROUNDS/notices.log"
}

nr_hosts() {
	pidof dext-host | wc -w
}

# tree_has TEXT: a line of dext tree.
tree_has() {
	"$DEXT" tree >/tmp/tree
	grep -q -e "$1" /tmp/tree
}

configuration_is() {
	find_device "$1" && read -r value_ <"$path_/bConfigurationValue" && [ "$value_" = "$2" ]
}

services_come_and_go_with_the_device() {
	start_broker "$STREAM"
	watch Stream
	gadget_make zero source-sink
	gadget_plug zero
	first=$(heard 'matched 1')
	# The driver has selected the loopback; the interface in the registry is of that configuration.
	wait_for 5 configuration_is zero 2
	"$DEXT" tree -p >/tmp/tree
	cat /tmp/tree
	grep -q 'bConfigurationValue = 2$' /tmp/tree
	grep -q "Stream  <IOUserService, id $first, registered" /tmp/tree
	find_device zero
	"$DEXT" list >/tmp/list
	cat /tmp/list
	grep -q "usb:${path_##*/} .*Gadget Zero  attached" /tmp/list
	gadget_unplug zero
	expect "$(heard 'terminated 1')" = "$first"
	gadget_plug zero
	second=$(heard 'matched 2')
	expect "$first" != "$second"
	tree_has "Stream  <IOUserService, id $second, registered"
	background_end broker
	wait_for 5 nobody_is_left
}

nobody_is_left() {
	! pidof dext-host
}

equal_devices_have_a_service_each() {
	start_broker "$STREAM"
	watch Stream
	gadget_make first loopback
	gadget_make second loopback
	gadget_plug first dummy_udc.0
	id_first=$(heard 'matched 1')
	gadget_plug second dummy_udc.1
	id_second=$(heard 'matched 2')
	expect "$(nr_hosts)" = 2
	"$DEXT" list >/tmp/list
	cat /tmp/list
	for name in first second; do
		find_device $name
		grep -q "usb:${path_##*/} .* attached" /tmp/list
	done
	gadget_unplug first
	expect "$(heard 'terminated 1')" = "$id_first"
	tree_has "Stream  <IOUserService, id $id_second, registered"
	gadget_plug first dummy_udc.0
	heard 'matched 3'
	tree_has "Stream  <IOUserService, id $id_second, registered"
	expect "$(grep -c terminated "$BACKGROUNDS/notices.log")" = 1
}

broker_that_comes_back_finds_what_runs() {
	start_broker "$STREAM"
	watch Stream
	gadget_make zero loopback
	gadget_plug zero
	id=$(heard 'matched 1')
	host=$(pidof dext-host)
	background_end broker KILL
	start_broker "$STREAM"
	wait_for 5 tree_has "Stream  <IOUserService, id $id, registered"
	expect "$(pidof dext-host)" = "$host"
	expect "$(grep -c 'Stream  <' /tmp/tree)" = 1
	gadget_unplug zero
	expect "$(heard 'terminated 1')" = "$id"
	gadget_plug zero
	expect "$(heard 'matched 2')" != "$id"
}

# "usb:0525:a4a0" is one device when it is attached, and stays that one.
device_by_its_ids_is_the_one_at_its_port() {
	wanted=
	start_broker "$STREAM"
	watch Stream
	gadget_make first loopback
	gadget_make second loopback
	gadget_plug first dummy_udc.0
	"$DEXT" attach usb:0525:a4a0
	heard 'matched 1'
	gadget_plug second dummy_udc.1
	kill -KILL "$(pidof dext-host)"
	heard 'terminated 1'
	id=$(heard 'matched 2')
	background_end broker KILL
	start_broker "$STREAM"
	wait_for 5 tree_has "Stream  <IOUserService, id $id, registered"
	gadget_unplug first
	expect "$(heard 'terminated 2')" = "$id"
	heard 'matched 3' # the other one follows
	gadget_unplug second
	heard 'terminated 3'
	expect "$("$DEXT" list | grep -c 'usb:0525:a4a0.*waiting')" = 1
}

driver_that_leaves_hands_the_device_on() {
	start_broker "$STREAM" "$CONTRACT"
	watch ContractUsb
	gadget_make zero loopback
	gadget_plug zero
	wait_for 5 tree_has 'Stream  <IOUserService'
	"$DEXT" explain org.opendext.test.contract >/tmp/explained
	cat /tmp/explained
	grep -q 'loses.*Stream of org.opendext.example.Stream' /tmp/explained
	"$DEXT" unload org.opendext.example.Stream
	id=$(heard 'matched 1')
	tree_has "ContractUsb  <IOUserService, id $id, registered"
	expect "$(grep -c 'Stream  <' /tmp/tree)" = 0
}

# The pair: configuration 1 has two interfaces, a loopback and a source and sink.
gadget_make_pair() {
	gadget_make "$1" loopback buflen=1024
	echo 0xa4a1 >"$GADGETS/$1/idProduct"
	rm "$GADGETS/$1"/configs/*/*.*
	rmdir "$GADGETS/$1"/configs/*
	mkdir "$GADGETS/$1/configs/c.1"
	ln -s "$GADGETS/$1/functions/Loopback.$1" "$GADGETS/$1/functions/SourceSink.$1" \
		"$GADGETS/$1/configs/c.1/"
}

drivers_of_a_device_and_its_interfaces_share_it() {
	start_broker "$HALVES"
	watch Half
	gadget_make_pair pair
	gadget_plug pair
	heard 'matched 1'
	heard 'matched 2'
	tree_has 'HalfDevice  <IOUserService'
	cat /tmp/tree
	expect "$(grep -c 'Half  <IOUserService' /tmp/tree)" = 2
	expect "$(nr_hosts)" = 3
	find_device pair
	for interface in 0 1; do
		expect "$(readlink "$path_/${path_##*/}:1.$interface/driver" | sed 's,.*/,,')" = usbfs
	done
	# One of them dies: the others go on, and it comes back.
	kill -KILL "$(sed -n 's/.*Half  <.*pid \([0-9]*\),.*/\1/p' /tmp/tree | head -n 1)"
	heard 'terminated 1'
	heard 'matched 3'
	expect "$(nr_hosts)" = 3
	gadget_unplug pair
	heard 'terminated 3'
	wait_for 5 nobody_is_left
}

explain_names_what_does_not_match() {
	gadget_make zero loopback
	gadget_plug zero
	if "$DEXT" explain "$HALVES" usb:0525:a4a0 >/tmp/explained; then
		return 1
	fi
	cat /tmp/explained
	grep -q 'idProduct: wants 42145 (0xa4a1), the provider has 42144 (0xa4a0)' /tmp/explained
	"$DEXT" explain "$STREAM" usb:0525:a4a0 >/tmp/explained
	cat /tmp/explained
	grep -q 'matches' /tmp/explained
}

run_tests services_come_and_go_with_the_device equal_devices_have_a_service_each \
	broker_that_comes_back_finds_what_runs device_by_its_ids_is_the_one_at_its_port \
	driver_that_leaves_hands_the_device_on \
	drivers_of_a_device_and_its_interfaces_share_it explain_names_what_does_not_match
