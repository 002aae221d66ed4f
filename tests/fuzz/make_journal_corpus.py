#!/usr/bin/python3
"""Writes tests/fuzz/corpus/journal/: small segments, whole, torn, spoilt and recycled, made from
docs/JOURNAL.md and not by the code under test."""
import os
import struct
import zlib

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "journal")
CHECKPOINT, SEGMENT = 254, 255


def record(number, payload, kind=7, durable=0):
    rest = struct.pack("<HBBQQ", len(payload), kind, 1, number, durable) + payload
    return struct.pack("<I", zlib.crc32(rest)) + rest + bytes(-(4 + len(rest)) % 8)


def main():
    first = record(100, struct.pack("<Q", 42), SEGMENT, 99)
    records = [record(101 + i, bytes([65 + i]) * (5 * i), durable=99 + i) for i in range(6)]
    checkpoint = record(107, struct.pack("<Q", 103), CHECKPOINT, 106)
    whole = first + b"".join(records) + checkpoint
    spoilt = bytearray(whole)
    spoilt[len(first) + 70] ^= 4
    stale = record(50, b"left from an earlier life", durable=49)
    files = {
        "empty": b"", "zeros": bytes(256), "whole": whole, "then_zeros": whole + bytes(512),
        "torn": whole[:-13], "headless": bytes(len(first)) + whole[len(first):], "spoilt": spoilt,
        "recycled": whole + stale * 3, "largest": first + record(101, bytes(4096)),
        "too_large": first + struct.pack("<IHBBQQ", 0, 4097, 7, 1, 101, 100) + bytes(4104),
        "hole": first + record(104, b"three are missing", durable=103),
    }
    os.makedirs(FOLDER, exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
