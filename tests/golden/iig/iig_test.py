#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""iig_test - the interface generator, from outside.

    iig_test.py IIG INCLUDE CXX [--update]

good/*.iig    become exactly the .expected.h.txt and .expected.cpp.txt beside them, which compile
bad/*.iig     get exactly the messages in the .expected.txt beside them, and no output
run/          is linked with what good/ and system/ became, and run under sanitizers

--update writes the expected files anew; read the difference before you commit it.
Prints like the C harness does: one line per test, "N passed, N failed" at the end.
"""
import difflib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM = ["OSObject", "OSAction", "IOService", "IOUserClient", "IOTimerDispatchSource"]
CXX_FLAGS = ["-fblocks", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]


class Failure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failure(message)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names(directory):
    found = sorted(name[:-4] for name in os.listdir(os.path.join(HERE, directory))
                   if name.endswith(".iig"))
    check(found, f"no .iig files in {directory}")
    return found


class Iig:
    def __init__(self, iig, include, cxx, update, work):
        self.iig, self.cxx, self.update, self.work = iig, cxx, update, work
        self.include = include

    def run(self, *args, cwd=HERE):
        return subprocess.run([self.iig, *args], cwd=cwd, capture_output=True, text=True,
                              check=False)

    def out(self, name):
        return os.path.join(self.work, name)

    def generate(self, directory, name, *options, outputs=""):
        """Runs iig as a build system does, in the directory of the input."""
        return self.run("--def", name + ".iig", "--header", self.out(outputs + name + ".h"),
                        "--impl", self.out(outputs + name + ".iig.cpp"), *options, "--",
                        "-I../system" if directory in ("good", "bad") else "-I..",
                        "-I", self.include, cwd=os.path.join(HERE, directory))

    def must_generate(self, directory, name, *options, outputs=""):
        done = self.generate(directory, name, *options, outputs=outputs)
        check(done.returncode == 0 and done.stderr == "", f"{name}.iig: {done.stderr}")

    def must_equal(self, what, path):
        if self.update:
            with open(path, "w", encoding="utf-8") as file:
                file.write(what)
            return
        check(os.path.exists(path), f"no {path}; write it with --update")
        difference = difflib.unified_diff(read(path).splitlines(), what.splitlines(), "expected",
                                          "is", lineterm="")
        check(read(path) == what, path + "\n" + "\n".join(difference))

    def must_compile(self, *args):
        done = subprocess.run([self.cxx, *CXX_FLAGS, f"-I{self.work}", f"-I{HERE}/system",
                               f"-I{HERE}/run", f"-I{self.include}", *args],
                              capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stderr)


def test_system(iig):
    """Interfaces of the system go through the generator as well."""
    for name in SYSTEM:
        iig.must_generate("system/DriverKit", name, "--framework-name", "DriverKit",
                          outputs="DriverKit/")
        check(f"#include <DriverKit/{name}.h>" in read(iig.out(f"DriverKit/{name}.iig.cpp")),
              "--framework-name is not in the include")


def test_good(iig):
    for name in names("good"):
        iig.must_generate("good", name)
        iig.must_equal(read(iig.out(name + ".h")), f"{HERE}/good/{name}.expected.h.txt")
        iig.must_equal(read(iig.out(name + ".iig.cpp")), f"{HERE}/good/{name}.expected.cpp.txt")
    for name in names("good"):
        for standard in "gnu++17", "gnu++20":
            iig.must_compile(f"-std={standard}", "-fsyntax-only", iig.out(name + ".iig.cpp"))


def test_bad(iig):
    for name in names("bad"):
        done = iig.generate("bad", name)
        check(done.returncode == 1, f"{name}: exit status {done.returncode}")
        iig.must_equal(done.stderr, f"{HERE}/bad/{name}.expected.txt")
        check(f"{name}.iig:" in done.stderr and ": error: " in done.stderr,
              f"{name}: no place in the message")
        for suffix in ".h", ".iig.cpp":
            check(not os.path.exists(iig.out(name + suffix)), f"{name}: left an output")


def test_run(iig):
    sources = [iig.out(name + ".iig.cpp") for name in names("good")]
    sources += [iig.out(f"DriverKit/{name}.iig.cpp") for name in SYSTEM]
    sources += [f"{HERE}/run/runtime.cpp", f"{HERE}/run/drivers.cpp"]
    iig.must_compile("-std=gnu++17", "-g", "-fsanitize=address,undefined",
                     "-fno-sanitize-recover=all", *sources, "-o", iig.out("run"))
    done = subprocess.run([iig.out("run")], capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)


def test_header_as_base(iig):
    """A generated header that another .iig file includes says what its input said."""
    with open(iig.out("OnHeader.iig"), "w", encoding="utf-8") as file:
        file.write("#pragma once\n#include <several.h>\n"
                   "class OnHeader : public Second {\n"
                   "\tvirtual kern_return_t Twice(uint32_t a, uint32_t *b) override;\n"
                   "\tvirtual void Tick(OSAction *action, uint64_t time) override;\n};\n")
    done = iig.run("--def", iig.out("OnHeader.iig"), "--header", iig.out("OnHeader.h"), "--impl",
                   iig.out("OnHeader.iig.cpp"), "--log", iig.out("log"), "--depfile",
                   iig.out("rule.d"), "--deployment-target", "20.0", "--", "-x", "c++",
                   "-std=c++17", "-D__IIG=1", "-I", iig.work, "-I", HERE + "/system", "-I",
                   iig.include)
    check(done.returncode == 0, done.stderr)
    text = read(iig.out("OnHeader.iig.cpp"))
    check("First::Twice_Invoke" in text and "IOTimerDispatchSource::TimerOccurred_Invoke" in text,
          text)
    iig.must_compile("-std=gnu++17", "-fsyntax-only", iig.out("OnHeader.iig.cpp"))
    log = read(iig.out("log"))
    check("Twice: override" in log and "deployment target 20.0" in log, log)
    rule = read(iig.out("rule.d"))
    check("OnHeader.iig.cpp:" in rule and "several.h" in rule and "OSMetaClass.h" in rule, rule)


def test_command_line(iig):
    def must(status, text, *args):
        done = iig.run(*args)
        check(done.returncode == status and text in done.stdout + done.stderr,
              f"{args}: {done.returncode} {done.stdout}{done.stderr}")
    must(0, "usage: iig", "--help")
    must(0, "OpenDext", "--version")
    must(2, "--def", "--header", "x")
    must(2, "--header", "--def", "x", "--impl", "y")
    must(2, "--impl", "--def", "x", "--header", "y")
    must(2, "no value after --def", "--def")
    must(2, "no value after --def", "--def", "--", "-I.")
    must(2, "unknown option --definition", "--definition", "x")
    must(2, "unknown option x.iig", "x.iig")
    must(1, "cannot read nowhere.iig: No such file", "--def=nowhere.iig", "--header=x.h",
         "--impl=x.cpp")
    good = ["--def", "good/driver.iig", "--header", iig.out("line.h")]
    include = ["--", "-Isystem", "-I", iig.include]
    must(1, "cannot write /nowhere/x.cpp: No such file", *good, "--impl=/nowhere/x.cpp", *include)
    must(1, "check the options after '--'", *good, "--impl", iig.out("x.cpp"), "--",
         "-target", "no-such-machine-at-all")
    left = [name for name in os.listdir(iig.work) if name.startswith(("line.h.", "x.cpp"))]
    check(left == [], f"left behind: {left}")


def test_output_of_a_failed_run(iig):
    """What an earlier run wrote stays as it is."""
    before = read(iig.out("driver.h"))
    done = iig.run("--def", "bad/syntax_error.iig", "--header", iig.out("driver.h"), "--impl",
                   iig.out("driver.iig.cpp"), "--", "-Isystem", "-I", iig.include)
    check(done.returncode == 1 and read(iig.out("driver.h")) == before, "the output changed")


def test_installed_interfaces(iig):
    """The same inputs on the system's own interfaces, not on those of this test."""
    own = os.path.join(iig.work, "own")
    os.mkdir(own)
    for name in "driver", "several", "styles":
        header, source = os.path.join(own, name + ".h"), os.path.join(own, name + ".iig.cpp")
        done = iig.run("--def", f"good/{name}.iig", "--header", header, "--impl", source, "--",
                       "-I", iig.include)
        check(done.returncode == 0 and done.stderr == "", done.stderr)
        done = subprocess.run([iig.cxx, *CXX_FLAGS, "-std=gnu++17", "-fsyntax-only",
                               f"-I{iig.include}", source], capture_output=True, text=True,
                              check=False)
        check(done.returncode == 0, done.stderr)


def test_other_line_ends(iig):
    """Files of other systems: a byte order mark, CR LF; and a const result."""
    text = read(f"{HERE}/good/driver.iig").replace("virtual bool init", "virtual const uint32_t "
                                                   "Constant();\n    virtual bool init")
    with open(iig.out("Other.iig"), "wb") as file:
        file.write(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    done = iig.run("--def", iig.out("Other.iig"), "--header", iig.out("Other.h"), "--impl",
                   iig.out("Other.cpp"), "--", "-Isystem", "-I", iig.include)
    check(done.returncode == 0, done.stderr)
    iig.must_compile("-std=gnu++17", "-fsyntax-only", "-Wno-ignored-qualifiers",
                     iig.out("Other.cpp"))


def test_empty_input(iig):
    for text in "", "\n", "/* only a comment", "#include <DriverKit/OSObject.iig>\n":
        with open(iig.out("Empty.iig"), "w", encoding="utf-8") as file:
            file.write(text)
        done = iig.run("--def", iig.out("Empty.iig"), "--header", iig.out("Empty.h"), "--impl",
                       iig.out("Empty.cpp"), "--", "-Isystem", "-I", iig.include)
        check(done.returncode == (1 if "only" in text else 0), done.stderr)


def main():
    update = "--update" in sys.argv
    args = [arg for arg in sys.argv[1:] if arg != "--update"]
    tests = [(name[len("test_"):], test) for name, test in globals().items()
             if name.startswith("test_")]
    nr_failed = 0
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(os.path.join(work, "DriverKit"))
        iig = Iig(os.path.abspath(args[0]), os.path.abspath(args[1]), args[2], update, work)
        for number, (name, test) in enumerate(tests, 1):
            try:
                test(iig)
                print(f"ok {number} - {name}")
            except Failure as failure:
                print(f"not ok {number} - {name}")
                print("# " + str(failure).replace("\n", "\n# "))
                nr_failed += 1
    print(f"{len(tests) - nr_failed} passed, {nr_failed} failed")
    sys.exit(1 if nr_failed else 0)


main()
