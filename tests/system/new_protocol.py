#!/usr/bin/python3
"""Step 3 of protocol/README.md on a copy: the codec of tests/unit/toy_codec_test.c becomes a file and a
line of codecs.c, and a frame of its device comes through by the protocol's name."""
import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from stack import ROOT, Tap  # noqa: E402

PROGRAM = """
#include "tests/support/drive.h"
#include <stdio.h>

int main(void)
{
    static struct outcome outcome;
    struct codec_environment environment = drive_environment();
    struct message message = {.body = bytes_of("!toy-1,H\\n!toy-2,A\\n")};
    int index = codec_find("toy");

    if (index != codec_count - 1)
        return 1;
    drive(codecs[index], &message, 1, &environment, &outcome);
    for (size_t i = 0; i < outcome.signal_count; i++)
        printf("%s %s\\n", outcome.signals[i].identity, signal_kind_name(outcome.signals[i].kind));
    return 0;
}
"""


def toy_source():
    """The codec of the unit test, as a file of its own."""
    with open(f"{ROOT}/tests/unit/toy_codec_test.c", encoding="utf-8") as file:
        text = file.read()
    begin, end = text.index("#define FRAME_MAX"), text.index("static struct outcome")
    return '#include "protocol/codec.h"\n\n' + text[begin:end].replace(
        "static const struct codec toy_codec", "const struct codec toy_codec")


def add_toy(folder):
    with open(f"{folder}/protocol/toy.c", "w", encoding="utf-8") as file:
        file.write(toy_source())
    path = f"{folder}/protocol/codecs.c"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("\nconst struct codec *const codecs[]",
                        "extern const struct codec toy_codec;\n\nconst struct codec *const codecs[]")
    text = text.replace("\n};\nconst int codec_count", "\n    &toy_codec,\n};\nconst int codec_count")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(f"{ROOT}/protocol", f"{folder}/protocol")
        os.makedirs(f"{folder}/tests/support")
        for name in ("drive.c", "drive.h"):
            shutil.copy(f"{ROOT}/tests/support/{name}", f"{folder}/tests/support")
        add_toy(folder)
        with open(f"{folder}/program.c", "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        built = subprocess.run(
            [*shlex.split(os.environ.get("CC", "gcc")), "-std=gnu11", "-Wall", "-Wextra", "-Werror",
             "-I.", "-o", "program", "program.c", "tests/support/drive.c",
             *glob.glob("protocol/*.c", root_dir=folder), "-ljansson"],
            cwd=folder, capture_output=True, text=True, timeout=300)
        tap.check(built.returncode == 0, "a file and a line are all it takes to build",
                  *built.stderr.splitlines()[:20])
        done = subprocess.run([f"{folder}/program"], capture_output=True, text=True, timeout=60)
        tap.check(done.stdout == "toy-1 heartbeat\ntoy-2 panic\n", "its frames come through by its name",
                  done.returncode, *done.stdout.splitlines())
    tap.finish()


main()
