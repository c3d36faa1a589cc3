#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""captures_test - the comparison of captures, on traffic that is made here: each rule, and its limits.

The events are given the form that tshark prints (-T pdml), as far as the comparison reads it.
"""
import sys

sys.dont_write_bytecode = True  # the tree of sources stays as it is

import captures  # noqa: E402
import mutants  # noqa: E402
from checks import expect, expect_equal, run  # noqa: E402

DEVICE = "2.5"
CONTROL, BULK, INTERRUPT = 2, 3, 1
PENDING = captures.EINPROGRESS
GET_DEVICE, GET_STRING = "8006000100001200", "8006000300000400"
SET_CONFIGURATION, CLEAR_HALT, VENDOR = "0009030000000000", "0201000081000000", "c077000000000400"


def field_of(name, show, value=None, pos=0, size=1):
    end = "" if value is None else f' value="{value}"'
    return f'<field name="{name}" show="{show}" pos="{pos}" size="{size}"{end}/>'


class File:
    """A capture that grows by one event after the other, with a clock of its own."""

    def __init__(self, is_ours):
        self.is_ours = is_ours
        self.packets = []

    def event(self, kind, identity, at, kind_of=BULK, endpoint=0x81, status=0, length=0, data="",
              setup="", device=DEVICE, opened=False, undecoded=0):
        number = len(self.packets) + 1
        size = captures.HEADER_BYTES + len(data) // 2
        bus, address = device.split(".")
        fields = [field_of("num", number), field_of("caplen", size + undecoded)]
        protos = [f'<proto name="geninfo">{"".join(fields)}</proto>']
        if opened:
            protos.append(f'<proto name="x">{field_of("frame.comment", captures.OPENED)}</proto>')
        fields = [
            field_of("frame.time_epoch", f"1700000000.{at:06}{'789' if self.is_ours else '000'}"),
            field_of("frame.len", size), field_of("usb.urb_id", f"{identity}-{self.is_ours}"),
            field_of("usb.urb_type", f"&#x27;{kind}&#x27;"),
            field_of("usb.transfer_type", f"{kind_of:#04x}"),
            field_of("usb.endpoint_address", f"{endpoint:#04x}"),
            field_of("usb.device_address", address), field_of("usb.bus_id", bus),
            field_of("usb.urb_status", status), field_of("usb.urb_len", length),
            field_of("usb.interval", 0 if self.is_ours else 9)]
        if setup:
            fields.append(field_of("", "Setup Data", setup, 40, 8))
        if data:
            fields.append(field_of("usb.capdata", data, data, captures.HEADER_BYTES, len(data) // 2))
        protos.append(f'<proto name="usb">{"".join(fields)}</proto>')
        self.packets.append(f"<packet>{''.join(protos)}</packet>")

    def decoded(self):
        return captures.decode(f"<pdml>{''.join(self.packets)}</pdml>")


class Traffic:
    """The same traffic in both files, unless it is said otherwise."""

    def __init__(self):
        self.ours, self.usbmon = File(True), File(False)
        self.now = 1000
        self.number = 0
        # The kernel reads the descriptor when the device is plugged in, we say it when we open it.
        answer = {"kind_of": CONTROL, "endpoint": 0x80}
        for file, opened in ((self.usbmon, False), (self.ours, True)):
            file.event("S", "first", self.now, status=PENDING, length=18, setup=GET_DEVICE,
                       opened=opened, **answer)
            file.event("C", "first", self.now + 1, length=18, data="12" * 18, opened=opened, **answer)
            self.now += 10

    def begin(self, files="ou", **event):
        """@return what end() wants."""
        self.number += 1
        event.update(status=PENDING)
        if "o" in files:
            self.ours.event("S", self.number, self.now, **event)
        if "u" in files:
            self.usbmon.event("S", self.number, self.now + 1, **event)
        self.now += 10
        return self.number, {key: event[key] for key in ("kind_of", "endpoint", "device")
                             if key in event}

    def end(self, begun, files="ou", ours=None, **event):
        number, event = begun[0], begun[1] | event
        if "u" in files:
            self.usbmon.event("C", number, self.now, **event)
        if "o" in files:
            self.ours.event("C", number, self.now + 1, **(event | (ours or {})))
        self.now += 10

    def whole(self, files="ou", status=0, data_in="", ours=None, **event):
        begun = self.begin(files, **event)
        self.end(begun, files, ours, status=status,
                 length=len(data_in) // 2 or (event.get("length", 0) if status == 0 else 0),
                 data=data_in)

    def differences(self):
        return captures.compare(self.ours.decoded(), self.usbmon.decoded(), DEVICE)[1]

    def agrees(self):
        expect_equal(self.differences(), [])

    def differs(self, text):
        found = self.differences()
        expect(any(text in line for line in found), f"wanted {text}", *found)


def a_little_of_everything():
    traffic = Traffic()
    traffic.whole(kind_of=CONTROL, endpoint=0, setup=SET_CONFIGURATION)
    traffic.whole(kind_of=CONTROL, endpoint=0x80, setup=VENDOR, length=4, data_in="01020304")
    traffic.whole(kind_of=CONTROL, endpoint=0x80, setup=VENDOR, length=4, status=captures.EPIPE)
    traffic.whole(endpoint=0x02, length=3, data="616263")
    traffic.whole(length=512, data_in="aabb")
    traffic.whole(kind_of=INTERRUPT, endpoint=0x83, length=8, data_in="0102")
    begun = [traffic.begin(length=64), traffic.begin(length=512)]
    for one in begun:
        traffic.end(one, status=captures.ENOENT)
    traffic.whole(length=512, status=captures.EPIPE)
    traffic.whole(kind_of=CONTROL, endpoint=0, setup=CLEAR_HALT)
    traffic.whole(length=512, data_in="cc")
    return traffic


def test_same_traffic_agrees():
    a_little_of_everything().agrees()


def test_whatever_is_changed_in_ours_is_seen():
    traffic = a_little_of_everything()
    ours, usbmon = traffic.ours.decoded(), traffic.usbmon.decoded()
    nr_mutants = 0
    for name, mutant in mutants.mutants(ours):
        nr_mutants += 1
        expect(captures.compare(mutant, usbmon, DEVICE)[1], name)
    expect(nr_mutants > 200, nr_mutants)


def test_transfer_that_only_one_has_is_seen():
    for files, text in (("o", "1 transfers in ours, 0"), ("u", "0 transfers in ours, 1")):
        traffic = a_little_of_everything()
        traffic.whole(files, endpoint=0x04, length=3, data="616263")
        traffic.differs(text)


def test_nothing_in_both_is_a_difference():
    Traffic().differs("no transfers in both")
    expect_equal(captures.compare([], [], DEVICE)[1],
                 ["ours does not say what device was opened"])


def test_transfer_that_libusb_has_cut_is_seen():
    traffic = Traffic()
    traffic.whole("o", length=4, data_in="01020304")
    traffic.whole("u", length=2, data_in="0102")
    traffic.whole("u", length=2, data_in="0304")
    traffic.differs("1 transfers in ours, 2 in usbmon's")


# --- K1, K2, K3: whose events ----------------------------------------------------------------

def test_other_devices_are_left_out_of_usbmon_only():
    traffic = a_little_of_everything()
    traffic.whole("u", kind_of=CONTROL, endpoint=0x80, setup=VENDOR, length=4, device="2.1")
    traffic.whole("u", kind_of=INTERRUPT, length=2, data_in="04", device="2.1")
    traffic.agrees()
    traffic.whole("o", length=2, data_in="04", device="2.1")
    traffic.differs("of device 2.1")


def test_descriptors_must_be_those_that_usbmon_saw():
    traffic = a_little_of_everything()
    for data, length, setup, text in (("12" * 18, 18, GET_DEVICE, None),
                                      ("12" * 17 + "13", 18, GET_DEVICE, "another answer"),
                                      ("12" * 17, 17, GET_DEVICE, "did not see the device say"),
                                      ("12" * 4, 4, VENDOR, "did not see the device say")):
        answer = {"kind_of": CONTROL, "endpoint": 0x80, "opened": True}
        traffic.ours.event("S", "again", 5, status=PENDING, length=length, setup=setup, **answer)
        traffic.ours.event("C", "again", 6, length=length, data=data, **answer)
        if text is None:
            traffic.agrees()
        else:
            traffic.differs(text)


def test_requests_of_the_kernel_are_none_of_ours():
    traffic = a_little_of_everything()
    traffic.whole("u", kind_of=CONTROL, endpoint=0x80, setup=GET_STRING, length=4, data_in="0403")
    traffic.whole("u", kind_of=CONTROL, endpoint=0, setup="0003300000000000", status=captures.EPIPE)
    traffic.whole(length=512, data_in="dd")
    traffic.agrees()


def test_other_requests_are_seen_where_ours_has_none():
    for setup in (VENDOR, SET_CONFIGURATION, GET_DEVICE, CLEAR_HALT, "a101000000000100"):
        traffic = a_little_of_everything()
        traffic.whole("u", kind_of=CONTROL, endpoint=int(setup[:2], 16) & 0x80, setup=setup)
        traffic.differs("no request of the kernel")


def test_request_that_usbmon_does_not_have_is_seen():
    traffic = a_little_of_everything()
    traffic.whole("o", kind_of=CONTROL, endpoint=0, setup="0203000081000000")
    traffic.differs("usbmon has no such request")


# --- K4, K5: when and what -------------------------------------------------------------------

def test_ours_is_told_outside_of_usbmon():
    for early, late, text in ((100, 0, "submitted 99 us later"), (0, 100, "ended 98 us earlier")):
        traffic = Traffic()
        identity = {"length": 8, "endpoint": 0x81}
        traffic.ours.event("S", 1, 2000 + early, status=PENDING, **identity)
        traffic.usbmon.event("S", 1, 2001, status=PENDING, **identity)
        traffic.usbmon.event("C", 1, 2300 + late, **identity)
        traffic.ours.event("C", 1, 2302, **identity)
        traffic.differs(text)


def test_ends_in_another_order_are_seen():
    traffic = Traffic()
    first, second = traffic.begin(length=8), traffic.begin(length=8)
    traffic.end(first, "u", length=8, data="01" * 8)
    traffic.end(second, "u", length=8, data="01" * 8)
    traffic.end(second, "o", length=8, data="01" * 8)
    traffic.end(first, "o", length=8, data="01" * 8)
    traffic.differs("ends before")


def test_submissions_in_another_order_are_seen():
    traffic = Traffic()
    for files, order in (("o", (1, 2)), ("u", (2, 1))):
        for byte in order:
            traffic.whole(files, endpoint=0x02, length=1, data=f"{byte:02x}")
    traffic.differs("usb.capdata is 01, usbmon: 02")


def test_field_that_only_one_has_is_seen():
    traffic = Traffic()
    begun = traffic.begin(length=8)
    traffic.end(begun, length=0, ours={"data": "ff"})
    traffic.differs("only ours has usb.capdata")


def test_bytes_that_tshark_does_not_decode_are_refused():
    file = File(True)
    file.event("S", 1, 5, status=PENDING, undecoded=3)
    for pdml, text in ((file.packets[0], "decodes 0 of 3 bytes"),
                       ("<packet><proto name='eth'/></packet>", "not a capture of a USB bus"),
                       ("<packet>", "tshark:")):
        try:
            captures.decode(f"<pdml>{pdml}</pdml>")
        except captures.Undecodable as error:
            expect(text in str(error), text, error)
            continue
        expect(False, text)


# --- K6, K7: how it ended --------------------------------------------------------------------

def test_words_of_the_kernel_that_are_one_to_libusb():
    for theirs, ours in ((captures.ECONNRESET, captures.ENOENT), (captures.ENODEV, captures.ESHUTDOWN),
                         (captures.EREMOTEIO, 0), (captures.EOVERFLOW, captures.EOVERFLOW),
                         (-84, captures.EPROTO), (-62, captures.EPROTO)):
        traffic = Traffic()
        traffic.whole(length=64, status=theirs, ours={"status": ours})
        traffic.agrees()
        traffic.whole(length=64, status=theirs, ours={"status": -5})
        traffic.differs("status -5")


def halted(**second):
    """Two reads queued; the device halts; the kernel ends both, for a driver the second one waits."""
    traffic = Traffic()
    first, behind = traffic.begin(length=64), traffic.begin(length=64)
    traffic.end(first, status=captures.EPIPE)
    traffic.end(behind, "u", **({"status": captures.EPIPE} | second))
    return traffic, behind


def test_what_waits_behind_a_halt_ends_as_cancelled():
    for status in (captures.EPIPE, captures.ENOENT):
        traffic, behind = halted(status=status)
        traffic.end(behind, "o", status=captures.ENOENT)
        traffic.whole(kind_of=CONTROL, endpoint=0, setup=CLEAR_HALT)
        traffic.whole(length=64, data_in="01")
        traffic.agrees()


def test_what_waits_behind_a_halt_is_lost_with_the_device():
    for status in (captures.EPIPE, captures.ENOENT, captures.EPROTO):
        traffic, behind = halted(status=status)
        traffic.end(behind, "o", status=captures.ESHUTDOWN)
        traffic.agrees()
        traffic.whole(length=64, data_in="01")  # so it has not left
        traffic.differs(f"status {captures.ESHUTDOWN}, usbmon: {status}")


def test_what_is_lost_waits_for_nothing():
    traffic, behind = halted(status=captures.ESHUTDOWN)
    traffic.end(behind, "o", status=captures.ENOENT)
    traffic.differs("status -2, usbmon: -108")


def test_what_waits_behind_a_halt_has_no_other_end():
    for status in (captures.EPIPE, 0, captures.EPROTO):
        traffic, behind = halted()
        traffic.end(behind, "o", status=status)
        traffic.differs(f"status {status}, usbmon: -32, queued behind")


def test_what_moved_bytes_did_not_wait_behind_a_halt():
    traffic, behind = halted(length=1, data="01")
    traffic.end(behind, "o", status=captures.ENOENT, length=1, data="01")
    traffic.differs("status -2, usbmon: -32")


def test_a_stall_without_a_halt_before_it_is_told_as_one():
    traffic = Traffic()
    traffic.whole(length=64, status=captures.EPIPE)
    traffic.whole(length=64, status=captures.EPIPE, ours={"status": captures.ENOENT})
    traffic.differs("status -2, usbmon: -32")


def test_a_cleared_halt_is_over():
    traffic = Traffic()
    first, behind = traffic.begin(length=64), traffic.begin(length=64)
    traffic.end(first, status=captures.EPIPE)
    traffic.whole(kind_of=CONTROL, endpoint=0, setup=CLEAR_HALT)
    traffic.end(behind, status=captures.EPIPE, ours={"status": captures.ENOENT})
    traffic.differs("status -2, usbmon: -32")


sys.exit(run(globals()))
