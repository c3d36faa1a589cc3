#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# Isochronous transfers over usbfs: tests/contract/isoch_test.c. dummy_hcd moves none, vhci-hcd does: the
# device is a model that `dext export` serves and the kernel has attached.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

export OPENDEXT_TEST_DEXTD="$KERNEL_BUILD/src/daemon/dextd"
export OPENDEXT_TEST_HOST="$KERNEL_BUILD/src/host/dext-host"
export OPENDEXT_TEST_BUNDLES="$KERNEL_BUILD/tests/contract/driver"
export OPENDEXT_TEST_ISOCHRONOUS=usb:0525:a4a0

export_devices virtual:gadget-zero,speed=super,pattern=1,serial=ours
attach_export 1-1 ours
"$KERNEL_BUILD/tests/contract/contract_process_test" 'isoch_*'
