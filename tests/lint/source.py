"""The C files of the project as the checks see them: without comments, with their functions."""
import functools
import re
import subprocess

HIDDEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)|PRINTF_LIKE\([^)]*\)", re.DOTALL)


@functools.cache
def files():
    """Every file of the project, new ones not yet committed included."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(set(names) - set(deleted()))


def deleted():
    return subprocess.run(["git", "ls-files", "--deleted"], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def c_files():
    return [name for name in files() if name.endswith((".c", ".h"))]


@functools.cache
def text(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


@functools.cache
def code(name, keep_strings=False):
    """The text with comments, and the insides of strings, blanked; line numbers stay."""
    def blank(match):
        if match[0][0] in "\"'":
            return match[0] if keep_strings else match[0][0] * 2
        return "\n" * match[0].count("\n")
    return HIDDEN.sub(blank, text(name))


class Function:
    """A function definition: its first line (from 1), how many lines to its closing brace."""

    def __init__(self, file, line, size, signature):
        self.file, self.line, self.size = file, line, size
        signature = ATTRIBUTE.sub("", signature)
        self.is_static = re.search(r"\bstatic\b", signature) is not None
        match = re.search(r"(\w+)\s*\(", signature)
        self.name = match[1] if match else "?"
        self.parameters = count_parameters(signature[match.end():]) if match else 0

    def __str__(self):
        return f"{self.file}:{self.line}: {self.name}"


def count_parameters(rest):
    """Of the text that follows a signature's opening parenthesis."""
    depth, commas = 0, 0
    for character in rest:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
        commas += character == "," and depth == 0
    return 0 if rest.strip().startswith("void)") else commas + 1


@functools.cache
def functions(name):
    """Definitions whose braces stand alone in the first column, as clang-format puts them."""
    lines = code(name).split("\n")
    found, start = [], None
    for index, line in enumerate(lines):
        if line == "{":
            start = index
            while start > 0 and lines[start - 1].strip() and not re.match(r"[#}]|.*;\s*$",
                                                                          lines[start - 1]):
                start -= 1
        elif line == "}" and start is not None:
            signature = "\n".join(lines[start:index]).split("\n{")[0]
            found.append(Function(name, start + 1, index - start + 1, signature))
            start = None
    return found
