# SPDX-License-Identifier: MIT
"""api_sources - what the headers declare and what the tests use; for scripts/api-coverage.

Textual: comments, braces and declarations are understood, the preprocessor is not. A method counts
for the class of the variable it is called on, or for the nearest class above that is in the list;
what a helper uses counts for the tests that reach it.
"""
import collections
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Interfaces that only the golden files' own runtime knows, and inputs that must fail.
NO_PROOF = ("tests/golden/iig/system/", "tests/golden/iig/bad/", "tests/golden/iig/run/runtime")
COMPILED = "style: headers_compile_alone"  # tests/style compiles every header on its own

Block = collections.namedtuple("Block", "label path owner name text is_test")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def find(pattern):
    found = glob.glob(os.path.join(ROOT, pattern), recursive=True)
    return sorted(os.path.relpath(path, ROOT) for path in found if os.path.isfile(path))


def plain(text):
    """Without comments, and without what is in strings."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', lambda m: '""' if m[1] else " ", text,
                  flags=re.DOTALL)


class Headers:
    """What the headers declare: names at file level, members of classes, and who derives."""

    def __init__(self):
        self.top = collections.defaultdict(set)  # name -> headers
        self.members = collections.defaultdict(lambda: collections.defaultdict(set))
        self.bases = {}
        self.fields = {}  # field of a structure -> class that it points to
        for path in find("include/**/*.h"):
            whole = os.path.dirname(path) + ".h"  # IOKit/IOKitLib/connect.h is part of IOKit/IOKitLib.h
            shown = whole if os.path.isfile(os.path.join(ROOT, whole)) else path
            self.parse(shown[len("include/"):], plain(read(path)))

    def parse(self, path, text):
        for name in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", text, re.MULTILINE):
            self.top[name].add(path)
        text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", text, flags=re.MULTILINE)
        text = re.sub(r'extern\s*""\s*\{|__attribute__\s*\(\(.*?\)\)', "", text)
        for owner, method in re.findall(r"^\s*OS_RUNTIME_INVOKE\w*\((\w+),(?:[^,()]*,)?\s*(\w+)\)", text, re.M):
            self.members[owner][method].add(path)  # callbacks, for TYPE()
        stack, statement = [("class", "")], ""
        for piece in re.split(r"([{};])", text):
            kind, scope = stack[-1]
            if piece == "{":
                stack.append(self.enter(path, kind, scope, statement))
            elif piece == "}":
                if kind == "enum":
                    self.declare(path, scope, re.findall(r"(?:^|,)\s*(\w+)", statement))
                stack = stack[:-1] or [("class", "")]
            elif piece == ";" and kind == "class":
                self.declare(path, scope, declared(statement))
                self.fields.update((field, of) for of, field in
                                   re.findall(r"\b((?:IO|OS)\w+)\s*\*\s*(\w+)$", statement))
            statement = "" if piece in "{};" else piece

    def enter(self, path, kind, scope, statement):
        enum = re.search(r"\benum\b(?:\s+class)?\s*(\w*)[^()]*$", statement)
        compound = re.search(r"\b(?:class|struct|union)\b(?:[^()<>:]*?)\b(\w+)\s*(?:final\s*)?"
                             r"(?::\s*(?:public\s+)?(\w+))?\s*$", statement)
        if kind != "class" or re.match(r"\s*namespace\b", statement):
            return kind, scope
        if enum:
            self.declare(path, scope, enum.groups())
            return "enum", scope
        if compound:
            self.declare(path, "", [compound[1]])
            self.bases[compound[1]] = compound[2]
            return "class", compound[1]
        self.declare(path, scope, declared(statement))
        if re.search(r"\b(struct|union)\s*$", statement):
            return "class", scope + "?"  # nameless: its members belong to nobody
        return "body", scope

    def declare(self, path, scope, names):
        for name in names:
            (self.members[scope][name] if scope else self.top[name]).add(path)

    def chain(self, name, bases=None):
        while name:
            yield name
            name = (bases or {}).get(name) or self.bases.get(name)

    def where(self, entry):
        if entry.kind == "header":
            found = [path for path in (entry.name, "opendext-cxx/" + entry.name)
                     if os.path.isfile(os.path.join(ROOT, "include", path))]
        elif entry.name == "CreateAction<Method>":
            made = any('CreateAction' in read(path) for path in find("src/iig/*.c"))
            found = ["(made by iig)"] if made else []
        elif "::" in entry.name:
            owner, method = entry.name.split("::")
            inherited = [self.members[name][method] for name in self.chain(owner)]
            found = sorted(next(filter(None, inherited), ())) + sorted(self.top[c_name(entry.name)])
        else:
            found = sorted(self.top[entry.name])
        return found


def declared(statement):
    """Names that a declaration introduces; too many rather than too few."""
    if re.match(r"\s*(?:template.*?\bfriend\b|friend\b|(?:class|struct|union|enum)\s+\w+\s*$)", statement):
        return []
    if "(" in statement:
        names = re.findall(r"\(\s*[*^]\s*(\w+)\s*\)", statement)
        depth = 0
        for match in re.finditer(r"(\w+)?\s*\(|\)", statement):
            if depth == 0 and match[1]:
                names.append(match[1])
            depth += -1 if match[0] == ")" else 1
        return names
    parts = [re.sub(r"=.*|\[[^]]*\]", "", part, flags=re.DOTALL) for part in statement.split(",")]
    return [words[-1] for words in (re.findall(r"\w+", part) for part in parts) if words]


def c_name(name):
    """Class::method as drivers in C write it."""
    owner, method = name.split("::")
    return owner + method[0].upper() + method[1:]


class Tests:
    """Who uses which name: labels of tests by name."""

    def __init__(self, headers, entries):
        self.headers, self.bases = headers, {}
        self.rows = {entry.name for entry in entries}
        self.cxx = set()  # labels of tests in C++
        self.iig = {entry.name for entry in entries if entry.interface == "iig"}
        self.c_rows = {c_name(name): name for name in self.rows if "::" in name}
        self.proofs = collections.defaultdict(set)
        self.weight = collections.Counter()  # names that a test uses: few is specific
        files = [path for end in ("iig", "h", "c", "cpp") for top in ("tests", "examples")
                 for path in find(f"{top}/**/*.{end}")
                 if not path.startswith(NO_PROOF)]
        texts = {path: plain(read(path)) for path in files}
        for path, text in texts.items():
            for owner, base in re.findall(r"\bclass\s+(?:\w+\s+)?(\w+)\s*:\s*(?:public\s+)?(\w+)", text):
                self.bases[owner] = base
        self.collect([block for path, text in texts.items() for block in blocks(path, text)], texts)

    def collect(self, found, texts):
        variables = {path: self.variables(text) for path, text in texts.items()}
        uses = {block: self.uses(block, variables[block.path]) for block in found}
        helpers = collections.defaultdict(list)
        for block in found:
            if block.name and not block.is_test:
                helpers[block.name].append(block)
        reached = set()
        for test in (block for block in found if block.is_test):
            names, todo, seen = set(), [test], set()
            while todo:
                block = todo.pop()
                seen.add(block)
                names |= uses[block]
                for found_by_name in (helpers[word] for word in set(re.findall(r"\w+", block.text))):
                    own = [other for other in found_by_name if other.path == block.path]
                    todo += [other for other in own or found_by_name if other not in seen and (own or (
                        os.path.dirname(other.path) in (os.path.dirname(test.path), "tests/support")
                        and not re.search(r"^static\b", other.text.split("{")[0], re.MULTILINE)))]
            reached |= seen
            self.add(test, test.label, names)
        for block in found:
            if block not in reached:
                self.add(block, block.path.removeprefix("tests/"), uses[block])

    def add(self, block, label, names):
        if not block.path.endswith(".c"):
            self.cxx.add(label)
        self.weight[label] += len(names)
        for name in names & self.iig if label.startswith("golden/") else names:
            self.proofs[name].add(label)  # golden files have interfaces of their own

    def variables(self, text):
        """Class that a variable points to; none for a name that the text uses for several."""
        found = collections.defaultdict(set)
        for of, names in re.findall(r"\b([A-Z]\w+)\s*\*+\s*(\w+(?:\s*=[^;,()]*)?(?:,\s*\*+\s*\w+[^;,()]*)*)",
                                    text):
            for name in re.findall(r"(?:^|,\s*\*+)\s*(\w+)", names):
                found[name].add(of)
        for of, name in re.findall(r"\bOSSharedPtr<(\w+)>\s+(\w+)", text):
            found[name].add(of)
            found["." + name].add("OSSharedPtr")
        return {name: next(iter(of)) if len(of) == 1 else None for name, of in found.items()}

    def resolve(self, owner, method):
        chain = self.headers.chain(owner, self.bases)
        return next((f"{name}::{method}" for name in chain if f"{name}::{method}" in self.rows), None)

    def uses(self, block, variables):
        words = set(re.findall(r"\w+", block.text)) - (self.iig if block.path.endswith(".c") else set())
        variables = {**self.headers.fields, **variables, **self.variables(block.text)}
        names = (words & self.rows) | {self.c_rows[word] for word in words & self.c_rows.keys()}
        if any(word.startswith("CreateAction") for word in words):
            names.add("CreateAction<Method>")
        for of, method in re.findall(r"\b(\w+)::(\w+?)(?:_Impl)?\b", block.text):
            names.add(self.resolve(self.bases.get(block.owner) if of == "super" else of, method))
        for of, method in re.findall(r"\bIMPL\(\s*(\w+),\s*(\w+)", block.text):
            names.add(self.resolve(of, method))
        for name, access, method in re.findall(r"(\w+)(?:\[[^]]*\])?\s*(->|\.)\s*(\w+)\s*\(", block.text):
            key = "." + name if access == "." else name
            names.add(self.resolve(block.owner if name == "this" else variables.get(key), method))
        for method in re.findall(r"(?<![\w>.:])(\w+)\s*\(", block.text) if block.owner else ():
            names.add(self.resolve(block.owner, method))
        return names - {None}

    def of(self, entry):
        """Labels of tests: of a method's C function, and all others."""
        found = {COMPILED} if entry.kind == "header" else self.proofs[entry.name]
        in_cxx = {label for label in found if "::" not in entry.name or label in self.cxx}
        return found - in_cxx, in_cxx


def blocks(path, text):
    """The functions of a file, and what is between them."""
    depth, start, label = 0, 0, os.path.splitext(path.removeprefix("tests/"))[0]
    for match in re.finditer(r"[{}]|;", text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth > 0 or (match[0] == "{"):
            continue
        piece = text[start:match.end()]
        start = match.end()
        head = piece.split("{")[0]
        test = re.search(r"\bTEST(?:_SECONDS)?\(\s*(\w+)", head)
        method = re.search(r"\bIMPL\(\s*(\w+),\s*(\w+)|\b(\w+)::(\w+?)(?:_Impl)?\s*\(", head)
        function = re.search(r"\b(\w+)\s*\(", re.sub(r"^\s*#(?:\\\n|[^\n])*", "", head, flags=re.M))
        if test:
            yield Block(f"{label}: {test[1]}", path, None, test[1], piece, True)
        elif method and match[0] == "}":
            yield Block(label, path, method[1] or method[3], None, piece, False)
        else:
            table = re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*=", head)
            name = table or (function if match[0] == "}" else None)
            yield Block(label, path, None, name and name[1], piece, False)
    yield Block(label, path, None, None, text[start:], False)
