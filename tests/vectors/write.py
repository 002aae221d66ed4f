"""Writes the frames of our own making that stand beside this file again: python3 tests/vectors/write.py

One NAME.jsonl a codec, one frame a line: what it is, the frame as `hex` or `text` (or a topic with a
body), and the signals it must become, in their order; none: it is refused. The frames are made here
from the descriptions of the protocols, with checksums of their own, so that they agree with the codecs
only if both are right. Everybody in them is invented. tests/unit/own_frames_test.c puts them through
the codecs.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "frames"))
import binary  # noqa: E402
import meters  # noqa: E402
import texts  # noqa: E402

FILES = {**binary.FILES, **meters.FILES, **texts.FILES}


def lines_of(name):
    return [json.dumps(line, ensure_ascii=False) for line in FILES[name]()]


def main():
    for name in FILES:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines_of(name)) + "\n")


if __name__ == "__main__":
    main()
