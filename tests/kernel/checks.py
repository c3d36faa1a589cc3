# SPDX-License-Identifier: MIT
"""checks - test functions in Python that print what the programs of tests/test.h print.

    run(namespace)    each function whose name begins with "test_", in the order of the file
"""
import traceback


def expect(condition, *context):
    if not condition:
        raise AssertionError("\n".join(str(text) for text in context))


def expect_equal(got, wanted):
    expect(got == wanted, f"got    {got!r}", f"wanted {wanted!r}")


def run(namespace):
    """@return the exit status."""
    tests = [(name[len("test_"):], function) for name, function in namespace.items()
             if name.startswith("test_")]
    nr_failed = 0
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} - {name}")
        except Exception:  # pylint: disable=broad-except  # whatever it is, the next test runs
            nr_failed += 1
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
    print(f"{len(tests) - nr_failed} passed, {nr_failed} failed")
    return 1 if nr_failed else 0
