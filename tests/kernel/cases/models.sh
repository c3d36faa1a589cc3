#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# Our models as the kernel's class drivers see them: a disk, a serial port, a keyboard, attached over
# USB/IP through vhci_hcd.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

# --- Disks ------------------------------------------------------------------------------------

# disk_attach: a disk of 32 MiB in /tmp/disk.img; $disk is its device node. It may take a while until the
# kernel has read its size and looked for partitions.
disk_attach() {
	load_modules scsi_mod sd_mod usb-storage
	rm -f /tmp/disk.img
	truncate -s 32M /tmp/disk.img
	export_devices "virtual:mass-storage,file=/tmp/disk.img,serial=DISK00000001${1:-}"
	attach_export 1-1 DISK00000001
	find_device DISK00000001
	disk_device=$path_
	wait_for 5 disk_is_there
	udevadm settle --timeout=$((20 * KERNEL_TIME_FACTOR))
}

disk_is_there() {
	for disk in "$disk_device"/*:1.0/host*/target*/*/block/sd*; do
		disk=/dev/${disk##*/}
		[ -b "$disk" ] && [ "$(blockdev --getsize64 "$disk")" = 33554432 ] && return
	done
	return 1
}

disk_detach() {
	sync
	detach_exports
	wait_for 5 device_gone DISK00000001
	background_end export
}

# fill DIRECTORY: files of many lengths, with sums to compare.
fill() {
	mkdir "$1/files"
	for bytes in 0 1 511 512 513 4095 65536 100000 1000000; do
		head -c $bytes /usr/bin/bash >"$1/files/$bytes"
	done
	cp -r /etc/udev "$1/files/tree" 2>/dev/null || true
	(cd "$1/files" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >/tmp/sums
}

compare() {
	(cd "$1/files" && sha256sum -c /tmp/sums >/dev/null)
}

# disk_holds_files MAKE CHECK TYPE: a file system is made, written, unmounted, checked, and read again,
# by a kernel that has not seen the disk before and from the file behind it.
disk_holds_files() {
	disk_attach
	$1 "$disk"
	mkdir -p /tmp/mounted
	mount -t "$3" "$disk" /tmp/mounted
	fill /tmp/mounted
	umount /tmp/mounted
	$2 "$disk"
	disk_detach
	$2 /tmp/disk.img
	cp /tmp/disk.img /tmp/second.img
	export_devices virtual:mass-storage,file=/tmp/second.img,ro=yes,serial=DISK00000001
	attach_export 1-1 DISK00000001
	find_device DISK00000001
	disk_device=$path_
	wait_for 5 disk_is_there
	mount -t "$3" -o ro "$disk" /tmp/mounted
	compare /tmp/mounted
	umount /tmp/mounted
	disk_detach
}

disk_holds_an_ext4_file_system() {
	load_modules ext4
	disk_holds_files '/usr/sbin/mkfs.ext4 -q -F' '/usr/sbin/e2fsck -fn' ext4
}

disk_holds_a_vfat_file_system() {
	load_modules vfat nls_cp437 nls_ascii
	disk_holds_files '/usr/sbin/mkfs.vfat -I' '/usr/sbin/fsck.vfat -n' vfat
}

disk_of_large_blocks_has_its_size() {
	disk_attach ,block=4096
	expect "$(cat "/sys/block/${disk##*/}/queue/logical_block_size")" = 4096
	disk_detach
}

# --- A serial port ----------------------------------------------------------------------------

serial_attach() {
	load_modules cdc-acm
	export_devices "virtual:cdc-acm,serial=port$1"
	attach_export 1-1 port
	find_device port
	wait_for 5 tty_is_there "$path_"
}

tty_is_there() {
	for tty in "$1"/*/tty/ttyACM*; do
		tty=/dev/${tty##*/}
		[ -c "$tty" ] && return
	done
	return 1
}

serial_port_echoes() {
	serial_attach ''
	stty -F "$tty" raw -echo 115200
	head -c 30000 /usr/bin/bash >/tmp/sent
	# One descriptor for both ways: closing the port would drop what is on its way back.
	exec 3<>"$tty"
	head -c 30000 <&3 >/tmp/received &
	reader=$!
	cat /tmp/sent >&3
	wait $reader
	exec 3>&-
	cmp /tmp/sent /tmp/received
	expect "$(stty -F "$tty" speed)" = 115200
}

serial_port_says_its_banner_when_it_is_opened() {
	serial_attach ',banner=hello there'
	stty -F "$tty" raw -echo
	exec 3<>"$tty"
	read -r line <&3
	exec 3>&-
	expect "$line" = "hello there$(printf '\r')"
}

# --- A keyboard -------------------------------------------------------------------------------

# Key codes of evdev that were pressed, from the events: 24 bytes each, type, code and value behind the
# time; type 1 is a key, value 1 is down.
keys_pressed() {
	od -An -v -tu2 -w24 "$1" | awk '$9 == 1 && $11 == 1 { printf "%d ", $10 }'
}

keyboard_is_there() {
	for input in "$1"/*/*/input/input*/event*; do
		input=/dev/input/${input##*/}
		[ -c "$input" ] && return
	done
	return 1
}

keyboard_types_into_the_input_layer() {
	load_modules hid-generic usbhid evdev
	# It types again and again: the first time is over before anybody can listen.
	export_devices virtual:hid-keyboard,text=hello{enter},repeat=0,pause-ms=500,serial=keys
	attach_export 1-1 keys
	find_device keys
	wait_for 5 keyboard_is_there "$path_"
	background reader cat "$input"
	# h e l l o enter, wherever the reader came in.
	wait_for 5 keys_contain '35 18 38 38 24 28'
}

keys_contain() {
	case " $(keys_pressed "$BACKGROUNDS/reader.log")" in
	*" $1 "*) return 0 ;;
	*) return 1 ;;
	esac
}

run_tests disk_holds_an_ext4_file_system disk_holds_a_vfat_file_system \
	disk_of_large_blocks_has_its_size serial_port_echoes \
	serial_port_says_its_banner_when_it_is_opened keyboard_types_into_the_input_layer
