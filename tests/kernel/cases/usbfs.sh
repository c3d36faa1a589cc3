#!/run/check-kernel/busybox sh
# SPDX-License-Identifier: MIT
#
# What only a real device has, for a driver: see tests/kernel/usbfs_test.c.
. "$KERNEL_SOURCE/tests/kernel/guest.sh"

export OPENDEXT_TEST_DEXTD="$KERNEL_BUILD/src/daemon/dextd"
export OPENDEXT_TEST_HOST="$KERNEL_BUILD/src/host/dext-host"
export OPENDEXT_TEST_BUNDLES="$KERNEL_BUILD/tests/contract/driver"

gadget_make zero loopback buflen=1024 qlen=128
gadget_plug zero
OPENDEXT_TEST_GADGET_ZERO=usb:0525:a4a0
OPENDEXT_TEST_NODE=$(device_node zero)
OPENDEXT_TEST_UDC=$GADGETS/zero/UDC
export OPENDEXT_TEST_GADGET_ZERO OPENDEXT_TEST_NODE OPENDEXT_TEST_UDC
"$KERNEL_BUILD/tests/kernel/usbfs_test"
