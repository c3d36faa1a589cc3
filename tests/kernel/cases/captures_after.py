#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the case `captures` has left, when the guest has ended: two captures of each kind of traffic.

Both are compared as tests/kernel/captures.py says, and then played to the same driver again. This runs
on the host: tshark takes twenty times as long in the guest, and a replay needs no kernel.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the tree of sources stays as it is
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import captures  # noqa: E402
import mutants  # noqa: E402
from checks import expect, expect_equal, run  # noqa: E402

BUILD = os.environ["KERNEL_BUILD"]
LEFT = os.path.join(os.environ["KERNEL_SHARE"], "captures")
COMPARE = os.path.join(os.path.dirname(captures.__file__), "captures.py")
LIMIT_S = 120  # only against hangs
CONTROL, BULK, INTERRUPT = 2, 3, 1

decoded = {}


def path(kind, what):
    return os.path.join(LEFT, f"{kind}.{what}")


def text(kind, what):
    with open(path(kind, what), encoding="ascii") as file:
        return file.read().strip()


def both(kind):
    """(events of ours, events of usbmon's, the device), decoded once."""
    if kind not in decoded:
        decoded[kind] = (captures.read(path(kind, "ours.pcapng")),
                         captures.read(path(kind, "usbmon.pcap")), text(kind, "device"))
    return decoded[kind]


def agree(kind):
    pairs, differences = captures.compare(*both(kind))
    expect(not differences, *differences)
    return pairs


def found(pairs, **wanted):
    """Some transfer was like that: what captures agree on must have been there."""
    for mine, _ in pairs:
        have = {"type": mine.submit.type, "is_in": bool(mine.submit.endpoint & 0x80),
                "status": mine.end.status, "asked": mine.submit.length, "moved": mine.end.length,
                "is_short": mine.end.length < mine.submit.length}
        if all(have[key] == value for key, value in wanted.items()):
            return True
    return False


# --- Comparing --------------------------------------------------------------------------------

def test_bulk_and_control_captures_agree():
    pairs = agree("bulk")
    for is_in in (False, True):
        expect(found(pairs, type=CONTROL, is_in=is_in, status=0, moved=200), "control", is_in)
        expect(found(pairs, type=CONTROL, is_in=is_in, status=captures.EPIPE), "control", is_in)
        expect(found(pairs, type=BULK, is_in=is_in, status=0, moved=65536), "bulk", is_in)
        expect(found(pairs, type=BULK, is_in=is_in, status=captures.EPIPE), "halt", is_in)
    expect(found(pairs, type=CONTROL, is_in=True, status=0, asked=64, moved=18), "short control")
    expect(found(pairs, type=BULK, is_in=False, status=0, asked=200000), "large")
    expect(found(pairs, type=BULK, is_in=False, status=0, asked=0), "empty")
    expect(found(pairs, type=BULK, is_in=True, status=0, is_short=True, moved=511), "short")
    expect(found(pairs, type=BULK, is_in=True, status=captures.ENOENT), "cancelled")


def test_interrupt_captures_agree():
    pairs = agree("interrupt")
    expect(found(pairs, type=INTERRUPT, is_in=False, status=0, moved=15), "OUT")
    expect(found(pairs, type=INTERRUPT, is_in=True, status=0, asked=16, moved=15), "IN")
    expect(found(pairs, type=INTERRUPT, is_in=True, status=captures.EPIPE), "halt")
    expect(found(pairs, type=INTERRUPT, is_in=True, status=captures.ENOENT), "cancelled")


def test_captures_of_a_lost_device_agree():
    pairs = agree("lost")
    expect(any(found(pairs, type=BULK, is_in=True, status=status)
               for status in (captures.ESHUTDOWN, captures.EPROTO)), "lost")


def test_comparison_sees_whatever_is_changed_in_ours():
    for kind in ("bulk", "interrupt", "lost"):
        ours, usbmon, device = both(kind)
        for name, mutant in mutants.mutants(ours, fields_each=1):
            expect(captures.compare(mutant, usbmon, device)[1], kind, name)


def compare_files(ours, usbmon):
    return subprocess.run([sys.executable, COMPARE, ours, usbmon, text("bulk", "device")],
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)


def test_comparison_of_files_sees_one_other_byte():
    ours, _, _ = both("bulk")
    with open(path("bulk", "ours.pcapng"), "rb") as file:
        content = bytearray(file.read())
    # Near the end of the file is data that came from the device: behind it are padding and a size.
    content[-9] ^= 1
    last = ours[-1].number
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as changed:
        changed.write(content)
        changed.flush()
        done = compare_files(changed.name, path("bulk", "usbmon.pcap"))
    expect_equal(done.returncode, 1)
    expect(re.search(rf"ours {last}, usbmon \d+: usb\.capdata", done.stdout), done.stdout)
    expect(done.stdout.endswith(" 1 differences\n"), done.stdout)


def test_comparison_of_files_sees_a_missing_packet():
    ours, usbmon, device = both("bulk")
    dropped = {"ours.pcapng": ours[len(ours) // 2].number,
               "usbmon.pcap": next(event.number for event in reversed(usbmon)
                                   if event.device == device)}
    for what, number in dropped.items():
        with tempfile.TemporaryDirectory() as directory:
            files = {name: path("bulk", name) for name in dropped}
            without = os.path.join(directory, what)
            subprocess.run(["editcap", files[what], without, str(number)], check=True,
                           capture_output=True, timeout=LIMIT_S)
            files[what] = without
            done = compare_files(files["ours.pcapng"], files["usbmon.pcap"])
        expect_equal(done.returncode, 1)
        expect("without an end" in done.stdout or "without a submission" in done.stdout, done.stdout)


# --- Playing ----------------------------------------------------------------------------------

def play(kind, what, *arguments):
    spec = (f"replay:{path(kind, what)},strict,device={text(kind, 'device')},"
            f"patience-ms={LIMIT_S * 500}")  # nothing here may depend on how fast the driver is
    return subprocess.run(
        [os.path.join(BUILD, "src/tools/dext"), "run", "--device", spec,
         os.path.join(BUILD, "tests/contract/driver/ContractTest.dext"), "--",
         os.path.join(BUILD, "tests/kernel/traffic"), kind, text(kind, "endpoint"), *arguments],
        capture_output=True, text=True, timeout=LIMIT_S, check=False)


def played_to_the_same_driver(kind, what):
    done = play(kind, what)
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "", ""))


def test_usbmon_captures_drive_the_driver_again():
    played_to_the_same_driver("bulk", "usbmon.pcap")
    played_to_the_same_driver("interrupt", "usbmon.pcap")


def test_captures_of_ours_drive_the_driver_again():
    played_to_the_same_driver("bulk", "ours.pcapng")
    played_to_the_same_driver("interrupt", "ours.pcapng")


def test_replay_of_usbmon_names_the_packet_where_the_driver_differs():
    for kind, length in (("bulk", 1000), ("interrupt", 1)):
        _, usbmon, device = both(kind)
        done = play(kind, "usbmon.pcap", "different")
        expect(done.returncode != 0, done.stderr)
        # What there_and_back() of traffic.c sends first; for bulk, behind the second configuration.
        configured = [event.number for event in usbmon
                      if event.device == device and event.setup[:2] == b"\0\x09"][-1]
        packet = next(event.number for event in usbmon
                      if event.device == device and event.kind == "S" and event.type != CONTROL and
                      not event.endpoint & 0x80 and event.length == length and
                      event.number > configured)
        expect(f"packet {packet}: the driver sends another byte 0 " in done.stderr, packet, done.stderr)


sys.exit(run(globals()))
