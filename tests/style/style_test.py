#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""style_test - the rules of the project that a program can check.

    style_test.py ROOT [NAME...]

Reads what git knows, or the tree if there is no git. Prints like the C harness does: one line per
rule, what breaks it, and "N passed, N failed" at the end.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Who may include whom: room -> rooms. Everyone may include itself. The table of ARCHITECTURE.md.
ARROWS = {
    "base": set(),
    "wire": {"base"},
    "memory": {"base"},
    "channel": {"base", "wire", "memory"},
    "client": {"base", "wire", "memory", "channel"},
    "usb": {"base", "memory"},
    "capture": {"base", "usb/backend.h", "usb/tap.h"},
    "backend": {"base", "memory", "usb/backend.h", "capture/recording.h"},
    "export": {"base", "usb/backend.h", "backend"},
    "driver": {"base", "wire", "memory", "channel", "usb"},
    "cxx": {"base/face.h", "driver/face.h"},
    "host": {"base", "wire", "memory", "channel", "usb", "capture", "driver", "backend"},
    "daemon": {"base", "wire", "usb", "capture", "backend"},
    "iig": set(),
    "tools": {"base", "wire"},  # `dext` speaks to the broker
}
# What single files may include beyond the table: the catalog of models is text for people,
# and a server of devices needs no broker.
FILE_ARROWS = {"src/tools/device.c": {"backend/virtual/catalog.h"},
               "src/tools/export.c": {"export/export.h"}}
# Files of programs beside each other, and the sources that the demo shares with its example.
TOOL_NEIGHBOURS = ("src/tools/", "examples/stream/")
# Rooms that may include the installed headers: those that define them, and programs.
PUBLIC_USERS = {"client", "cxx", "driver", "host", "iig", "tools", "usb"}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "gets", "dup",
          "alloca", "sleep", "usleep"]
MAX_LINES = 700
MAX_EXAMPLE_LINES = 199  # of the example that one starts from: somebody reads it whole
MAX_COLUMNS = 108  # 100 is the aim and what clang-format does; a comment may stick out a little
SOURCE_DIRS = ("src", "include", "tests", "fuzz", "bench", "examples")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def list_files(root):
    """Paths of the project relative to root, without what is built."""
    try:
        out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                             check=True, capture_output=True).stdout.decode()
        names = [name for name in out.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(where, file), root)
                 for where, _, files in os.walk(root) for file in files]
        names = [name for name in names if not name.startswith((".git/", "build"))]
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))


class Missing(Exception):
    """What a rule looks with is not installed: it has looked at the rest."""


class Tree:
    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.names = list_files(self.root)
        self.texts = {}

    def text(self, name):
        if name not in self.texts:
            with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as file:
                self.texts[name] = file.read()
        return self.texts[name]

    def sources(self, *dirs):
        """C and C++ files below dirs."""
        wanted = dirs or SOURCE_DIRS
        return [name for name in self.names
                if name.split("/")[0] in wanted and name.endswith((".c", ".h", ".cpp", ".hpp"))]


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def blank(match):
    """The same number of lines, nothing on them."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments_and_strings(text):
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def is_allowed(tree, room, included):
    target = included.split("/")[0]
    if room == "tools" and any(where + included in tree.names for where in TOOL_NEIGHBOURS):
        return True
    return target == room or target in ARROWS[room] or included in ARROWS[room]


def rule_includes_follow_the_table(tree):
    public = {name[len("include/"):] for name in tree.names if name.startswith("include/")}
    for name in tree.sources("src"):
        room = name.split("/")[1]
        if room not in ARROWS:
            yield f"{name}: no row in the table for this room"
            continue
        for match in INCLUDE.finditer(tree.text(name)):
            kind, included = match.groups()
            where = f"{name}:{line_of(tree.text(name), match.start())}"
            if included in public:
                if room not in PUBLIC_USERS:
                    yield f"{where}: {room} must not include the public <{included}>"
            elif included in FILE_ARROWS.get(name, ()):
                continue
            elif kind == '"' and not is_allowed(tree, room, included):
                yield f"{where}: {room} must not include {included}"


def rule_examples_and_tests_include_headers_only(tree):
    for name in tree.sources():
        for match in INCLUDE.finditer(tree.text(name)):
            included = match.group(2)
            where = f"{name}:{line_of(tree.text(name), match.start())}"
            if included.endswith(".c"):
                yield f"{where}: includes {included}, which is no header"
            if name.startswith("examples/") and included.split("/")[0] in ARROWS:
                yield f"{where}: an example uses installed headers only, not {included}"


# Apple's driver interface is C++, and so is what stands behind it.
CXX_HEADERS = ("include/DriverKit/", "include/USBDriverKit/", "include/HIDDriverKit/", "src/cxx/",
               "tests/unit/cxx/", "tests/cxx/", "tests/golden/")


def compile_alone_command(name):
    if name.startswith(CXX_HEADERS):
        clang = shutil.which("clang++")
        if clang is None:
            raise Missing("no clang++")
        return [clang, "-x", "c++", "-std=gnu++17", "-fblocks", "-fno-exceptions", "-fno-rtti"]
    if name.startswith("src/iig/"):
        found = sorted(glob.glob("/usr/lib/llvm-*/include/clang-c"))
        if not found:
            raise Missing("no libclang")
        return [os.environ.get("CC", "cc"), "-std=gnu17", "-isystem", os.path.dirname(found[-1])]
    return [os.environ.get("CC", "cc"), "-std=gnu17"]


def compile_alone(tree, name, directory):
    source = os.path.join(directory, "alone.c")
    compiler = compile_alone_command(name)
    with open(source, "w", encoding="utf-8") as file:
        file.write(f'#include "{os.path.join(tree.root, name)}"\ntypedef int not_empty;\n')
    command = [*compiler, "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
               f"-I{tree.root}/src", f"-I{tree.root}/include", f"-I{tree.root}/tests", source]
    done = subprocess.run(command, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if "error:" in line] + ["no error message"]
    return errors[0] if done.returncode != 0 else None


# What needs no docstring: overrides, what `iig` and its macros write beside a method that has one
# (name_Impl, OS_RUNTIME_...), and pointers to functions in structures.
NO_DOCSTRING = re.compile(r"\boverride$|_Impl\s*\(|^OS_RUNTIME_\w+\s*\(|\(\s*\*|^(?:typedef|friend|using)\b")


DOCSTRING, DIRECTIVE = "\x01", "\x02"  # what stands for them in the text that is looked through


def marked(match):
    """Blanks for comments, strings and directives, with the mark of what it was at the end."""
    marks = {"/*!": DOCSTRING, "#": DIRECTIVE}
    start = re.match(r"/\*!|\s*#|", match.group(0)).group(0).strip()
    return blank(match)[:-1] + marks.get(start, " ")


def public_functions(text):
    """(position, declaration, has a docstring) of each function outside of function bodies."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', marked, text, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", marked, text, flags=re.MULTILINE)
    inside, start, is_documented, is_private = [], 0, False, False
    for match in re.finditer(r"[{};]|\n[ \t]*(?=\n)|\b(?:public|protected|private)\s*:(?!:)", text):
        statement = text[start:match.start()]
        is_documented = is_documented or DOCSTRING in statement
        code = re.sub(f"[{DOCSTRING}{DIRECTIVE}]", " ", statement).strip()
        if match.group(0)[0] == "\n":
            if not code:  # an empty line ends a group
                is_documented, start = False, match.end()
            continue
        if match.group(0).endswith(":"):
            is_private, start = match.group(0).startswith("private"), match.end()
            continue
        start = match.end()
        if not {"body", "enum"} & set(inside) and "(" in code and not is_private:
            yield match.start(), code, is_documented
        if match.group(0) == "{":
            is_scope = re.search(r"\b(class|struct|union|namespace|extern)\b[^()]*$", code)
            is_enum = re.search(r"\benum\b[^()]*$", code)
            inside.append("enum" if is_enum else "scope" if is_scope else "body")
            is_documented = is_documented and not is_scope
            is_private = False if is_scope else is_private
        elif match.group(0) == "}" and inside:
            is_private = inside.pop() == "body" and is_private


def rule_public_functions_have_docstrings(tree):
    for name in tree.sources("include"):
        for position, code, is_documented in public_functions(tree.text(name)):
            if not is_documented and not NO_DOCSTRING.search(code):
                where = f"{name}:{line_of(tree.text(name), position)}"
                yield f"{where}: no docstring: {' '.join(code.split())[:60]}"


def rule_headers_compile_alone(tree):
    missing = set()
    with tempfile.TemporaryDirectory() as directory:
        for name in tree.sources("src", "include", "tests"):
            if name.endswith(".h"):
                try:
                    error = compile_alone(tree, name, directory)
                except Missing as what:
                    missing.add(str(what))
                    continue
                if error:
                    yield f"{name}: {error}"
    if missing:
        raise Missing(", ".join(sorted(missing)))


def rule_files_are_short(tree):
    for name in tree.sources():
        nr_lines = tree.text(name).count("\n")
        if name.startswith("examples/stream/") and nr_lines > MAX_EXAMPLE_LINES:
            yield f"{name}: {nr_lines} lines, more than {MAX_EXAMPLE_LINES}"
        if nr_lines > MAX_LINES:
            yield f"{name}: {nr_lines} lines, more than {MAX_LINES}"


def rule_lines_are_short(tree):
    for name in tree.sources():
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if len(line.expandtabs(8)) > MAX_COLUMNS:
                yield f"{name}:{number}: longer than {MAX_COLUMNS} columns"


def rule_no_banned_functions(tree):
    banned = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for name in tree.sources():
        text = without_comments_and_strings(tree.text(name))
        for match in banned.finditer(text):
            yield f"{name}:{line_of(text, match.start())}: {match.group(1)}() is not used here"


def rule_files_name_their_licence(tree):
    for name in tree.names:
        head = tree.text(name)[:400] if is_code(name) else "SPDX-License-Identifier"
        if "SPDX-License-Identifier: MIT" not in head and is_code(name):
            yield f"{name}: no SPDX-License-Identifier at its start"


def is_code(name):
    base = os.path.basename(name)
    return (name.endswith((".c", ".h", ".cpp", ".hpp", ".py", ".sh", ".iig", ".map", ".service.in",
                           ".cmake.in", ".device", ".1", ".7", ".8"))
            or base in ("meson.build", "meson_options.txt", "Makefile", ".clang-format")
            or name.startswith(("scripts/", ".ci/")))


def rule_nothing_is_left_to_do(tree):
    mark = re.compile(r"\b(TODO|FIXME|XXX)\b")
    for name in tree.names:
        if not is_code(name) or name == "tests/style/style_test.py":
            continue
        for match in mark.finditer(tree.text(name)):
            yield f"{name}:{line_of(tree.text(name), match.start())}: {match.group(0)}"


def rule_source_is_indented_with_tabs(tree):
    spaces = re.compile(r"^ {2,}\S|[ \t]+$", re.MULTILINE)
    for name in tree.sources():
        text = tree.text(name)
        for match in spaces.finditer(text):
            line = text[match.start():].split("\n")[0]
            if line.strip() and not line.lstrip().startswith("*"):
                yield f"{name}:{line_of(text, match.start())}: spaces as indent, or at the end"


def rule_every_message_is_in_the_protocol_page(tree):
    page = tree.text("docs/protocol-wire.md")
    messages = re.findall(r"\bDX_WIRE_([AHC]_\w+)\s*=\s*(0x\w+)", tree.text("src/wire/wire.h"))
    if not messages:
        yield "src/wire/wire.h: no messages"
    for name, number in messages:
        if f"| {number} | {name} |" not in page:
            yield f"docs/protocol-wire.md: no line '| {number} | {name} |'"


def rule_api_page_is_current(tree):
    command = [sys.executable, os.path.join(tree.root, "scripts/api-coverage"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        yield from (done.stdout + done.stderr).splitlines()
        yield "`make docs` writes docs/API.md again"


def judge(tree, rule):
    """(what breaks it, what was missing to look at all of it)"""
    breaches = []
    try:
        for breach in rule(tree):
            breaches.append(breach)
    except Missing as what:
        return breaches, str(what)
    return breaches, ""


def main():
    tree = Tree(sys.argv[1])
    rules = [(name[len("rule_"):], rule) for name, rule in globals().items()
             if name.startswith("rule_")]
    selected = [rule for rule in rules if len(sys.argv) == 2 or rule[0] in sys.argv[2:]]
    if not tree.sources("src") or not selected:
        sys.exit("style_test: no sources, or no such rule")
    nr_passed = nr_failed = 0
    for number, (name, rule) in enumerate(selected, 1):
        breaches, missing = judge(tree, rule)
        note = f" # SKIP {missing}" if missing and not breaches else ""
        print(f"{'not ok' if breaches else 'ok'} {number} - {name}{note}")
        for breach in breaches:
            print(f"# {breach}")
        nr_failed += bool(breaches)
        nr_passed += not breaches and not note
    print(f"{nr_passed} passed, {nr_failed} failed")
    sys.exit(1 if nr_failed else 0)


main()
