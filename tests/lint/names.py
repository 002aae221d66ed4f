"""Names, formatting and calls."""
import os
import re
import shutil
import subprocess

import source

# Modules whose exported functions carry other prefixes than the file's name, and why.
PREFIXES = {
    "daemon/base/pool": ["pool_", "handle_"],  # what a pool gives out
    "daemon/core/session": ["session_", "gateway_"],  # the gateway's input: gateway.h
    "daemon/core/admit": ["admit_", "gateway_"],  # likewise
    "daemon/core/commands": ["commands_", "gateway_"],  # likewise
    "daemon/core/start": ["start_", "gateway_"],  # likewise: gateway_start.h
    "daemon/core/keep": ["keep_", "gateway_"],  # likewise
    "daemon/core/observe": ["observe_", "gateway_"],  # likewise
    "daemon/edge/turn_figures": ["turn_"],  # the rest of turn.h
    "protocol/bytes": ["bytes_", "cursor_", "writer_"],  # three views of one memory
    "protocol/cursor": ["bytes_", "cursor_"],  # the short ones of bytes.h
    "protocol/signal": ["signal_", "service_kind_", "device_kind_"],  # its enums
    "protocol/codecs": ["codec_"],  # the table of codec.h
}
PROGRAM_FOLDERS = ("protocol/", "daemon/", "db/", "tools/")
TYPEDEF = re.compile(r"\btypedef\s+(struct|union)\b")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|alloca|atoi|atol"
                    r"|usleep|rand|srand)\s*\(")
# What reaches the core only as an argument: call, and the only files of the daemon that make it.
SINGLE_PLACE = [
    (re.compile(r"\b(clock_gettime|gettimeofday|time)\s*\("), ["daemon/edge/clock.c"]),
    (re.compile(r"\b(getrandom|getentropy|random)\s*\("), ["daemon/edge/clock.c"]),
    (re.compile(r"\b(open|openat|creat)\s*\("), ["daemon/edge/segments.c"]),
]


def module_prefixes(name):
    module = name.rsplit(".", 1)[0]
    return PREFIXES.get(module, [module.rsplit("/", 1)[1] + "_"])


def check_names():
    problems = []
    for name in source.c_files():
        if not name.startswith(PROGRAM_FOLDERS):
            continue
        prefixes = module_prefixes(name)
        for function in source.functions(name):
            exported = name.endswith(".h") or not function.is_static
            fits = any(function.name.startswith(prefix) or function.name == prefix[:-1]
                       for prefix in prefixes)
            if exported and not fits and function.name != "main":
                problems.append(f"{function} does not begin with {' or '.join(prefixes)}")
    return problems


def matches(pattern, names):
    for name in names:
        for number, line in enumerate(source.code(name).split("\n"), 1):
            if found := pattern.search(line):
                yield name, f"{name}:{number}: {found[0].strip()}"


def check_typedefs():
    return [place for _, place in matches(TYPEDEF, source.c_files())]


def check_calls():
    problems = [f"{place} is banned" for _, place in matches(BANNED, source.c_files())]
    daemon = [name for name in source.c_files() if name.startswith(("daemon/", "protocol/", "db/"))]
    for pattern, places in SINGLE_PLACE:
        problems += [f"{place} belongs in {' or '.join(places)}"
                     for name, place in matches(pattern, daemon) if name not in places]
    return problems


def check_format():
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not program:
        return ["clang-format is not installed: run tools/dev/deps"]
    run = subprocess.run([program, "--dry-run", "-Werror", *source.c_files()],
                         capture_output=True, text=True)
    return [line for line in run.stderr.splitlines() if "error:" in line]


def check_migrations():
    """Numbers without a gap, each given once."""
    files = sorted(os.listdir("db/migrations"))
    return [f"db/migrations/{name}: should be number {number:04}" for number, name in enumerate(files, 1)
            if not name.startswith(f"{number:04}_")]


CHECKS = [("exported functions begin with their module's name", check_names),
          ("structs are not hidden behind a typedef", check_typedefs),
          ("no banned call, and one file each for clock, randomness and files", check_calls),
          ("clang-format agrees", check_format),
          ("migrations are numbered without a gap", check_migrations)]
