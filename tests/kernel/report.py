#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report - sums up what the cases of a guest left behind.

    report.py SHARE CASE...

Prints what failed, with its output, and the last line "N passed, N failed". A case counts with the
numbers of its own last line; a case that ended otherwise, or not at all, is one more failure. With
OPENDEXT_REQUIRE_KERNEL=1 in the environment a skipped test is a failed one, too.
"""
import os
import re
import sys

TOTALS = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
MAX_SHOWN_LINES = 200
MAX_KERNEL_LINES = 60


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def show(title, text, limit):
    lines = [line for line in text.splitlines()
             if not line.lstrip().startswith(("ok ", "vhci_hcd: unlink", "vhci_hcd: urb->status"))]
    print(f"---- {title}")
    if len(lines) > limit:
        print(f"({len(lines) - limit} lines left out)")
    for line in lines[-limit:]:
        print(line)


def judge(logs, name):
    """(passed, failed, skipped) of a case, shown if it is not all right."""
    output = read(os.path.join(logs, name + ".out"))
    status = read(os.path.join(logs, name + ".status")).split()
    found = TOTALS.findall(output)
    passed, failed = (int(number) for number in found[-1]) if found else (0, 0)
    if not status:
        failed, why = failed + 1, "it did not end" if output else "it was not begun"
    elif status[0] == "124" or status[0] == "137":
        failed, why = failed + 1, f"stopped at its time limit, after {status[1]} s"
    elif (status[0] != "0" or not found) and failed == 0:
        failed, why = 1, f"exit status {status[0]}"
    else:
        why = f"{failed} failed"
    skips = re.findall(r"^ok \d+ - (\S+) # SKIP (.*)$", output, re.MULTILINE)
    if not passed + failed + len(skips):
        failed, why = 1, "it ran no test"
    for test, reason in skips:
        print(f"check-kernel: skipped {name} {test}: {reason}")
    for line in re.findall(r"^# (.*)$", output, re.MULTILINE):
        print(f"check-kernel: {name}: {line}")
    if failed:
        show(f"kernel: {name} ({why})", output, MAX_SHOWN_LINES)
        show(f"kernel: what the kernel said during {name}",
             read(os.path.join(logs, name + ".kernel")), MAX_KERNEL_LINES)
    return passed, failed, len(skips)


def main():
    share, names = sys.argv[1], sys.argv[2:]
    sums = [judge(os.path.join(share, "logs"), name) for name in names]
    passed, failed, skipped = (sum(numbers) for numbers in zip(*sums))
    if skipped:
        print(f"check-kernel: {skipped} skipped")
        if os.environ.get("OPENDEXT_REQUIRE_KERNEL") == "1":
            failed += skipped
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
