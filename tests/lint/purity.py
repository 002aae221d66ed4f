"""The pure archives call nothing but what their allow-list says, and hold no writable data."""
import fnmatch
import os
import re
import subprocess

# Archive: those of ours whose functions it may call.
PURE = {"protocol": [], "core": ["protocol", "base"], "journal": ["base"]}
WRITABLE = re.compile(r"\s(\.data|\.bss|\*COM\*|\.tdata|\.tbss)(?!\.rel\.ro)(\.\S+)?\s")
build = "build"


def archive(name):
    return f"{build}/release/lib{name}.a"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def defined(name):
    lines = output("nm", "-g", "--defined-only", archive(name)).splitlines()
    return {fields[2] for line in lines if len(fields := line.split()) == 3}


def undefined(name):
    """(object, symbol) of everything an archive needs."""
    for line in output("nm", "-A", "-u", archive(name)).splitlines():
        place, symbol = line.split(" U ") if " U " in line else line.split(" w ")
        yield place.split(":")[1].strip(), symbol.strip()


def allowed(name):
    """(symbol pattern, object pattern) from the lines `symbol [only object]` of a list."""
    path = os.path.join(os.path.dirname(__file__), "allow", name + ".txt")
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.split("#")[0].split()
            if fields:
                yield fields[0], fields[2] if len(fields) == 3 else "*"


def check_calls():
    problems = []
    for name, ours in PURE.items():
        known = defined(name).union(*(defined(other) for other in ours))
        patterns = list(allowed(name))
        for object_name, symbol in undefined(name):
            if symbol not in known and not any(
                    fnmatch.fnmatchcase(symbol, wanted) and fnmatch.fnmatchcase(object_name, only)
                    for wanted, only in patterns):
                problems.append(f"lib{name}.a: {object_name} calls {symbol}")
    return problems


def check_data():
    problems = []
    for name in PURE:
        object_name = "?"
        for line in output("objdump", "-t", archive(name)).splitlines():
            if ": " in line and "file format" in line:
                object_name = line.split(":")[0]
            fields = line.split()
            is_section = len(fields) > 2 and " d " in line
            if WRITABLE.search(line) and not is_section:
                problems.append(f"lib{name}.a: {object_name} has writable {fields[-1]}")
    return problems


CHECKS = [("protocol, core and journal call only what is allowed", check_calls),
          ("protocol, core and journal hold no writable data", check_data)]
