"""Who may include whom: the table of the house, and no cycles between modules."""
import collections
import os
import re

import source

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)

# Folder: the folders of ours it may include beside itself, and the foreign headers it may see.
RULES = {
    "protocol": ([], []),
    "daemon/base": ([], []),
    "daemon/core": (["protocol", "daemon/base"], []),
    "daemon/journal": (["daemon/base"], ["zlib"]),
    "db": (["daemon/base"], ["libpq", "libevent"]),
    "daemon/edge": (["protocol", "daemon/base", "daemon/core", "daemon/journal", "db"], ["any"]),
    "daemon": (["protocol", "daemon/base", "daemon/core", "daemon/journal", "db", "daemon/edge"],
               ["any"]),
    "tools": (["protocol", "daemon/base", "db"], ["any"]),
    "tools/report": (["daemon/base", "tools/common"], ["any"]),
    "tools/console": (["protocol", "daemon/base", "db", "tools/console/http", "tools/password", "tools/report"], ["any"]),
    "tools/console/http": (["daemon/base"], ["any"]),
    "tools/onekeyctl": (["protocol", "daemon/base", "db", "tools/common", "tools/password"], ["any"]),
    "tools/sim": (["protocol", "daemon/base", "db", "daemon/core", "tools/common"], ["any"]),
}
# File: foreign headers that it alone of its folder may see.
EXTRA = {
    "daemon/base/config.c": ["inih"],
}
JSON_CODEC = re.compile(r"protocol/\w*json\w*\.[ch]$")

LIBRARIES = {  # prefix of the header: library
    "event2/": "libevent", "libpq": "libpq", "postgres": "libpq", "mosquitto": "libmosquitto",
    "openssl/": "openssl", "jansson": "jansson", "ini.h": "inih", "uthash": "uthash",
    "utlist": "uthash", "utarray": "uthash", "zlib": "zlib", "systemd/": "libsystemd",
    "curl/": "libcurl", "cmocka": "cmocka",
}
# Beside libevent, which the whole edge runs on.
EDGE_LIBRARIES_MAX = 1
PURE = ("protocol", "daemon/core", "daemon/journal")
PURE_HEADERS = {"assert.h", "inttypes.h", "limits.h", "math.h", "stdbool.h", "stddef.h", "stdint.h",
                "string.h"}


def included(name):
    """(is quoted, path) of every include of a file."""
    return [(quote == '"', path) for quote, path in INCLUDE.findall(source.code(name, True))]


def library(header):
    return next((lib for prefix, lib in LIBRARIES.items() if header.startswith(prefix)), None)


def folder_rules(name):
    """The most particular rule for the folder of a file: (folder, rule), or (folder, None)."""
    folder = os.path.dirname(name)
    while folder and folder not in RULES:
        folder = os.path.dirname(folder)
    return folder, RULES.get(folder)


def check_edges():
    problems = []
    for name in source.c_files():
        folder, rule = folder_rules(name)
        if rule is None:
            continue
        ours, foreign = rule
        foreign = foreign + EXTRA.get(name, []) + (["jansson"] if JSON_CODEC.match(name) else [])
        seen = set()
        for is_quoted, path in included(name):
            if is_quoted:
                if not os.path.exists(path):
                    problems.append(f'{name}: "{path}" is not written from the root')
                elif os.path.dirname(path) not in [os.path.dirname(name), *ours]:
                    problems.append(f"{name}: {folder} must not know {path}")
            elif lib := library(path):
                seen.add(lib)
                if "any" not in foreign and lib not in foreign:
                    problems.append(f"{name}: {folder} must not know {lib} (<{path}>)")
            elif folder in PURE and path not in PURE_HEADERS:
                problems.append(f"{name}: {folder} is pure and must not see <{path}>")
        if folder == "daemon/edge" and len(seen - {"libevent"}) > EDGE_LIBRARIES_MAX:
            problems.append(f"{name}: more than one foreign library: {', '.join(sorted(seen))}")
    return problems


def find_cycle(graph):
    """One cycle as a list of modules, or None. Depth first; `state` 1 is on the path, 2 is done."""
    state, path = {}, []

    def visit(node):
        state[node] = 1
        path.append(node)
        for next_node in sorted(graph[node]):
            if state.get(next_node) == 1:
                return path[path.index(next_node):] + [next_node]
            if next_node not in state and (cycle := visit(next_node)):
                return cycle
        state[node] = 2
        path.pop()
        return None

    for node in sorted(graph):
        if node not in state and (cycle := visit(node)):
            return cycle
    return None


def module_of(path):
    """A .c file, its header, and the header of its inside (NAME_state.h) are one module."""
    return path.rsplit(".", 1)[0].removesuffix("_state")


def check_cycles():
    graph = collections.defaultdict(set)
    for name in source.c_files():
        if folder_rules(name)[1] is None:
            continue
        module = module_of(name)
        graph[module] |= {module_of(path) for is_quoted, path in included(name)
                          if is_quoted} - {module}
        for target in list(graph[module]):
            graph.setdefault(target, set())
    cycle = find_cycle(graph)
    return ["cycle: " + " -> ".join(cycle)] if cycle else []


CHECKS = [("includes follow the table of the house", check_edges),
          ("no include cycles between modules", check_cycles)]
