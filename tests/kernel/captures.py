#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""captures - do a capture of ours and one by usbmon tell the same of the same traffic?

    captures.py OURS USBMON BUS.ADDRESS

Both files are decoded by tshark; what it says of each event is compared. Prints what differs; the exit
status is 0 when nothing does, 1 when something does, 2 when a file cannot be decoded.

One transfer of ours is one URB of the kernel. (libusb cuts transfers into several where a controller
cannot take them whole; then the lengths differ, and that is said.) These rules, and nothing else, say
which differences are none:

  K1  Only events of the device count. Of ours that must be all; of usbmon's not the hub's and not those
      of the default address.
  K2  Events of ours with the comment of an opened device are no traffic. But usbmon must have seen the
      device give the same answer to the same request.
  K3  The kernel makes standard requests of its own: KERNELS_BEFORE until we open the device, afterwards
      KERNELS_ALWAYS and the reading of strings. Every other event of usbmon must be one of ours.
  K4  Ours is told outside of the kernel: a submission before usbmon's, an end after it, to the
      microsecond that usbmon counts in. Within an endpoint submissions have the same order, and so have
      ends (but K7). Control requests are one endpoint.
  K5  Each field that tshark decodes is equal in name and value, but for those of DIFFERENT: numbers of
      packets, clock readings, the identity of an URB, and what only an URB of Linux has.
  K6  The status of an end is equal, but for STATUS: libusb has one word for several of the kernel's.
  K7  What was queued behind a transfer that failed ends for the kernel at once, with an error or called
      back; for a driver it waits, and ends with -ENOENT when the halt is cleared or it is cancelled, or
      with -ESHUTDOWN when the device has left, and nothing follows. None of them has moved a byte.
"""
import subprocess
import sys
import xml.etree.ElementTree as tree
from collections import Counter
from dataclasses import dataclass, field

CONTROL = 2
HEADER_BYTES = 64
OPENED = "as the device said when it was opened"
EINPROGRESS, EPIPE, ENOENT, ECONNRESET, ESHUTDOWN, ENODEV, EREMOTEIO = -115, -32, -2, -104, -108, -19, -121
EOVERFLOW, EPROTO = -75, -71
GOOD, CALLED_BACK, LOST = (0, EREMOTEIO), (ENOENT, ECONNRESET), (ESHUTDOWN, ENODEV)

# K3: (bmRequestType, bRequest). To the device: CLEAR_FEATURE, SET_FEATURE, SET_SEL; GET_STATUS,
# GET_DESCRIPTOR, GET_CONFIGURATION, SET_CONFIGURATION, SET_ISOCH_DELAY.
KERNELS_ALWAYS = {(0x00, 1), (0x00, 3), (0x00, 48)}
KERNELS_BEFORE = KERNELS_ALWAYS | {(0x80, 0), (0x80, 6), (0x80, 8), (0x00, 9), (0x00, 49)}
GET_DESCRIPTOR, STRING = (0x80, 6), 3

# K5. A name that ends with a dot stands for all that begin with it.
DIFFERENT = ("num", "timestamp", "frame.section_number", "frame.interface_id", "frame.interface_name",
             "frame.time", "frame.time_epoch", "frame.offset_shift", "frame.time_delta",
             "frame.time_delta_displayed", "frame.time_relative", "frame.number",
             "usb.urb_id", "usb.urb_ts_sec", "usb.urb_ts_usec", "usb.request_in", "usb.response_in",
             "usb.time", "usb.interval", "usb.start_frame", "usb.copy_of_transfer_flags",
             "usb.transfer_flags.", "usb.urb_status")

# K6: what ours says for what the kernel says. A short packet is no error to anybody above usbfs.
STATUS = {EREMOTEIO: 0, ECONNRESET: ENOENT, ENODEV: ESHUTDOWN}
STATUS.update({status: status for status in (0, EPIPE, ENOENT, ESHUTDOWN, EOVERFLOW)})
OTHER_STATUS = EPROTO


class Undecodable(Exception):
    """A file that says nothing."""


@dataclass
class Event:
    number: int
    time: int  # microseconds since 1970
    kind: str  # S, C or E
    id: str
    type: int
    endpoint: int
    device: str  # BUS.ADDRESS
    status: int
    length: int
    setup: bytes  # of a control submission, else empty
    is_opened: bool  # K2
    fields: list = field(repr=False)  # (name, show, value) in tshark's order, K5 applied


@dataclass
class Transfer:
    submit: Event
    end: Event = None

    lane: str = None  # what has an order: an endpoint, or all control requests

    def __post_init__(self):
        first = self.submit
        self.lane = "control" if first.type == CONTROL else f"endpoint {first.endpoint:#04x}"

    @property
    def request(self):
        return tuple(self.submit.setup[:2])


# --- Decoding ---------------------------------------------------------------------------------

def is_different(name):
    return any(name == known or (known.endswith(".") and name.startswith(known))
               for known in DIFFERENT)


def check_covered(number, length, elements):
    """Bytes behind the header that tshark gives no value of would be compared by nobody."""
    covered = set()
    for element in elements:
        if element.get("value"):
            start = int(element.get("pos"))
            covered.update(range(max(start, HEADER_BYTES), start + int(element.get("size"))))
    if len(covered) < length - HEADER_BYTES:
        raise Undecodable(f"packet {number}: tshark decodes {len(covered)} of "
                          f"{length - HEADER_BYTES} bytes")


def event_of(packet):
    elements = list(packet.iter("field"))
    first = {}
    for element in elements:
        first.setdefault(element.get("name") or element.get("show"), element)

    def show(name):
        if name not in first:
            raise Undecodable(f"a packet without {name}: not a capture of a USB bus")
        return first[name].get("show")

    seconds, fraction = show("frame.time_epoch").split(".")
    setup = first.get("Setup Data")
    comment = first.get("frame.comment")
    data = [element for proto in packet if proto.get("name") != "geninfo"
            for element in proto.iter("field")]
    check_covered(show("num"), int(show("caplen")), data)
    return Event(
        number=int(show("num")), time=int(seconds) * 1000000 + int(fraction[:6]),
        kind=show("usb.urb_type").strip("'"), id=show("usb.urb_id"),
        type=int(show("usb.transfer_type"), 16), endpoint=int(show("usb.endpoint_address"), 16),
        device=f"{show('usb.bus_id')}.{show('usb.device_address')}",
        status=int(show("usb.urb_status")), length=int(show("usb.urb_len")),
        setup=b"" if setup is None else bytes.fromhex(setup.get("value")),
        is_opened=comment is not None and comment.get("show") == OPENED,
        fields=[(element.get("name"), element.get("show"), element.get("value"))
                for element in elements if not is_different(element.get("name"))])


def decode(pdml):
    """Events of what `tshark -T pdml` prints."""
    try:
        return [event_of(packet) for packet in tree.fromstring(pdml).iter("packet")]
    except tree.ParseError as error:
        raise Undecodable(f"tshark: {error}") from error


def read(path):
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "pdml"], capture_output=True, check=False)
    if done.returncode != 0:
        raise Undecodable(f"{path}: {done.stderr.decode(errors='replace').strip()}")
    return decode(done.stdout)


# --- Transfers --------------------------------------------------------------------------------

def pair(who, events, differences):
    """Transfers in the order of their submissions."""
    transfers, under_way = [], {}
    for event in events:
        if event.kind == "S":
            if event.id in under_way:
                differences.append(f"{who} {event.number}: submitted again without an end")
            under_way[event.id] = Transfer(event)
            transfers.append(under_way[event.id])
        elif event.id in under_way:
            under_way.pop(event.id).end = event
        else:
            differences.append(f"{who} {event.number}: an end without a submission")
    for transfer in under_way.values():
        differences.append(f"{who} {transfer.submit.number}: a submission without an end")
    return [transfer for transfer in transfers if transfer.end is not None]


def same_request(ours, theirs):
    return ours.submit.setup == theirs.submit.setup and theirs.submit.time >= ours.submit.time


def match_control(ours, theirs, opened_at, differences):
    """Pairs of control transfers; K3 for the others."""
    pairs, position = [], 0
    for mine in ours:
        found = next((at for at in range(position, len(theirs)) if same_request(mine, theirs[at])),
                     None)
        if found is None:
            differences.append(f"ours {mine.submit.number}: usbmon has no such request")
            continue
        pairs.append((mine, theirs[found]))
        check_kernels(theirs[position:found], opened_at, differences)
        position = found + 1
    check_kernels(theirs[position:], opened_at, differences)
    return pairs


def is_kernels(transfer, opened_at):
    if transfer.submit.time < opened_at:
        return transfer.request in KERNELS_BEFORE
    return (transfer.request in KERNELS_ALWAYS or
            (transfer.request == GET_DESCRIPTOR and transfer.submit.setup[3] == STRING))


def check_kernels(transfers, opened_at, differences):
    for transfer in transfers:
        if not is_kernels(transfer, opened_at):
            differences.append(f"usbmon {transfer.submit.number}: a request that ours does not have, "
                               f"and no request of the kernel: {transfer.submit.setup.hex()}")


def match(ours, theirs, opened_at, differences):
    pairs = []
    for lane in sorted({transfer.lane for transfer in ours + theirs}):
        mine = [transfer for transfer in ours if transfer.lane == lane]
        other = [transfer for transfer in theirs if transfer.lane == lane]
        if lane == "control":
            pairs += match_control(mine, other, opened_at, differences)
            continue
        if len(mine) != len(other):
            differences.append(f"{lane}: {len(mine)} transfers in ours, {len(other)} in usbmon's")
        pairs += zip(mine, other)
    return pairs


def check_opened(opened, theirs, differences):
    """K2"""
    for mine in opened:
        if (mine.submit.status, mine.end.status) != (EINPROGRESS, 0):
            differences.append(f"ours {mine.end.number}: an answer that is none")
        answers = [other.end for other in theirs
                   if other.lane == "control" and other.end.status == 0 and
                   other.submit.setup[:6] == mine.submit.setup[:6] and
                   other.end.length == mine.end.length]
        if not answers:
            differences.append(f"ours {mine.submit.number}: usbmon did not see the device say that")
        elif not any(same_answer(mine.end, answer) for answer in answers):
            differences.append(f"ours {mine.end.number}: the device gave another answer in usbmon's "
                               f"{answers[-1].number}")


def same_answer(mine, other):
    return not differing_fields(mine, other, with_comment=False)


# --- Comparing --------------------------------------------------------------------------------

def differing_fields(mine, other, with_comment=True):
    fields = mine.fields
    if not with_comment:
        fields = [entry for entry in fields
                  if not entry[0].startswith(("frame.comment", "_ws.expert"))]
    if fields == other.fields:
        return []
    result = [f"only {who} has {name}" for who, has, lacks in (("ours", fields, other.fields),
                                                              ("usbmon", other.fields, fields))
              for name in Counter(map(name_of, has)) - Counter(map(name_of, lacks))]
    return result or [f"{name_of(a)} is {shown(a)}, usbmon: "
                      f"{shown(b) if name_of(a) == name_of(b) else name_of(b)}"
                      for a, b in zip(fields, other.fields) if a != b]


def name_of(entry):
    """Some fields have a description instead of a name."""
    return entry[0] or entry[1]


def shown(entry):
    text = entry[1] or entry[2] or "nothing"
    return text if len(text) <= 60 else text[:57] + "..."


def unhalts(transfer, lane):
    """Ends the halt of that endpoint: CLEAR_FEATURE(ENDPOINT_HALT), or another configuration."""
    setup = transfer.submit.setup
    return transfer.end.status == 0 and (
        (transfer.request == (0x02, 1) and f"endpoint {setup[4]:#04x}" == lane) or
        transfer.request == (0x00, 9))


def is_halting(status):
    return status not in GOOD + CALLED_BACK + LOST


def is_behind_halt(theirs, transfers):
    """K7"""
    if theirs.lane == "control" or theirs.end.length != 0 or theirs.end.status in GOOD + LOST:
        return False
    for failed in transfers:
        if (failed.lane == theirs.lane and is_halting(failed.end.status) and
                failed.submit.number < theirs.submit.number < failed.end.number < theirs.end.number):
            return not any(other.lane == "control" and unhalts(other, theirs.lane) and
                           failed.end.number < other.submit.number < theirs.end.number
                           for other in transfers)
    return False


def wanted_statuses(theirs, behind_halt, transfers):
    if not behind_halt:
        return (STATUS.get(theirs.end.status, OTHER_STATUS),)
    is_last = all(other.submit.number < theirs.end.number for other in transfers)
    return (ENOENT, ESHUTDOWN) if is_last else (ENOENT,)


def compare_transfer(mine, theirs, behind_halt, transfers, differences):
    where = f"{mine.lane}: ours {mine.submit.number}, usbmon {theirs.submit.number}"
    ends = f"{mine.lane}: ours {mine.end.number}, usbmon {theirs.end.number}"
    for what, ours, other in ((where, mine.submit, theirs.submit), (ends, mine.end, theirs.end)):
        differences += [f"{what}: {text}" for text in differing_fields(ours, other)]
    if mine.submit.status != theirs.submit.status:
        differences.append(f"{where}: status {mine.submit.status}, usbmon: {theirs.submit.status}")
    if mine.end.status not in wanted_statuses(theirs, behind_halt, transfers):
        differences.append(f"{ends}: status {mine.end.status}, usbmon: {theirs.end.status}"
                           f"{', queued behind a failed one' if behind_halt else ''}")
    if mine.submit.time > theirs.submit.time:
        differences.append(f"{where}: submitted {mine.submit.time - theirs.submit.time} us later")
    if mine.end.time < theirs.end.time:
        differences.append(f"{ends}: ended {theirs.end.time - mine.end.time} us earlier")


def check_order(pairs, differences):
    """K4: of two ends in a lane the same one comes first in both."""
    for lane in sorted({mine.lane for mine, _ in pairs}):
        here = [(mine, theirs) for mine, theirs in pairs if mine.lane == lane]
        here.sort(key=lambda both: both[0].end.number)
        for (first, first_theirs), (second, second_theirs) in zip(here, here[1:]):
            if first_theirs.end.number > second_theirs.end.number:
                differences.append(f"{lane}: ours {first.end.number} ends before {second.end.number}, "
                                   f"usbmon's {first_theirs.end.number} after "
                                   f"{second_theirs.end.number}")


def compare(ours, usbmon, device):
    """(pairs of transfers, what differs)"""
    differences = [f"ours {event.number}: of device {event.device}" for event in ours
                   if event.device != device]
    opened = pair("ours", [event for event in ours if event.is_opened], differences)
    mine = pair("ours", [event for event in ours if not event.is_opened], differences)
    theirs = pair("usbmon", [event for event in usbmon if event.device == device], differences)
    if not opened:
        return [], differences + ["ours does not say what device was opened"]
    check_opened(opened, theirs, differences)
    pairs = match(mine, theirs, opened[0].submit.time, differences)
    ordered = []
    for ours_one, theirs_one in pairs:
        behind_halt = is_behind_halt(theirs_one, theirs)
        compare_transfer(ours_one, theirs_one, behind_halt, theirs, differences)
        if not behind_halt:
            ordered.append((ours_one, theirs_one))
    check_order(ordered, differences)
    if not pairs:
        differences.append("no transfers in both")
    return pairs, differences


def main():
    if len(sys.argv) != 4:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    try:
        pairs, differences = compare(read(sys.argv[1]), read(sys.argv[2]), sys.argv[3])
    except Undecodable as error:
        print(f"captures: {error}", file=sys.stderr)
        return 2
    for line in differences:
        print(line)
    print(f"{len(pairs)} transfers compared, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
