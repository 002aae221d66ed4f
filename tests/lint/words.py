"""What must not stand in a public project: a developer's machine."""
import re
import subprocess

import source

# Written so that this file does not match itself.
PRIVATE = re.compile(r"(?<![\w.])/(?:wor[k]|hom[e]|roo[t]|User[s])/\w|C:\\User[s]"
                     r"|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d+){2,3}:\d"
                     r"|https?://[\w.-]*(?:artifactor[y]|nexu[s]|registr[y]|mirro[r])[\w.-]*"
                     r"|https?://[\w.-]+\.(?:interna[l]|loca[l]|la[n]|cor[p])\b")


def check_files():
    problems = []
    for name in source.files():
        try:
            content = source.text(name)
        except (UnicodeDecodeError, IsADirectoryError):
            continue
        for number, line in enumerate(content.split("\n"), 1):
            if found := PRIVATE.search(line):
                problems.append(f"{name}:{number}: {found[0]}")
    return problems


def check_messages():
    log = subprocess.run(["git", "log", "--format=%h %B%x00"], check=True, capture_output=True,
                         text=True).stdout
    return [f"commit {message.split()[0]}: {found[0]}" for message in log.split("\0")
            if (found := PRIVATE.search(message))]


CHECKS = [("files name no path or host of a developer's machine", check_files),
          ("commit messages name none either", check_messages)]
