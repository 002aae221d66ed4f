#!/usr/bin/python3
"""Alarms while a long journal is replayed: taken, answered, kept through kills, one ticket each.

The journal is written here as docs/JOURNAL.md says, of marks that say nothing, so that the replay takes a
while. In each life wristbands press and repeat what they pressed in the last one. A connection that is
written to when its device has gone raises SIGPIPE; here it is sent.
"""
import datetime
import glob
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import UTC, missing, receive, watch_acknowledgement, watch_press  # noqa: E402
from stack import BIN, Stack, Tap, wait_for  # noqa: E402

SEGMENT, SEGMENTS = 16 << 20, 6
TYPE_MARK, TYPE_SEGMENT = 4, 255
CONFIGURATION = "[mqtt]\nenabled = no\n"  # its library ignores SIGPIPE for all
LIVES, PRESSERS, ENOUGH = 4, 4, 10


def record(kind, number, payload):
    body = struct.pack("<HBBQQ", len(payload), kind, 1, number, number - 1) + payload
    return struct.pack("<I", zlib.crc32(body)) + body


def write_journal(folder):
    """A run of an hour ago."""
    number = (int(time.time()) - 3600) << 20
    for path in glob.glob(f"{folder}/*.journal"):
        os.remove(path)
    for _ in range(SEGMENTS):
        with open(f"{folder}/{number:016x}.journal", "wb") as file:
            file.write(record(TYPE_SEGMENT, number, bytes(8)))
            while file.tell() + 40 <= SEGMENT:
                number += 1
                file.write(record(TYPE_MARK, number, bytes(16)))
            file.write(bytes(SEGMENT - file.tell()))
        number += 1


class Life:
    """onekeyd from its start to the end of its replay, or to its end."""

    def __init__(self, stack, number):
        self.log = f"{stack.parent}/life-{number}.log"
        with open(self.log, "wb") as file:
            self.daemon = subprocess.Popen([f"{BIN}/onekeyd", "--config", stack.values["ONEKEY_CONF"]],
                                           stdout=file, stderr=file)

    def says(self, word):
        with open(self.log, encoding="utf-8") as file:
            return word in file.read()

    def is_early(self):
        return self.daemon.poll() is None and not self.says("journal.replayed")

    def end(self):
        self.daemon.kill()
        return self.daemon.wait()


def press_all(stack, life, index, answered):
    """Presses second after second while the replay lasts; what was answered in it is noted."""
    identity, second = str(7_300_000_000 + index), datetime.datetime.now(UTC).replace(hour=1, minute=0)
    while life.is_early():
        second += datetime.timedelta(seconds=1)
        try:
            with stack.connect("watch") as client:
                client.sendall(watch_press(identity, second))
                if receive(client, 1, 2) == watch_acknowledgement(identity) and life.is_early():
                    answered.append((identity, f"{second:%d%m%y%H%M%S}"))
        except OSError:
            time.sleep(0.01)  # it does not listen yet, or has gone


def live(stack, number, answered):
    """One life, which ends in the middle of its replay except the last; its status if it ended by itself."""
    life = Life(stack, number)
    known = len(answered)
    threads = [threading.Thread(target=press_all, args=(stack, life, i, answered)) for i in range(PRESSERS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answered) > known or not life.is_early(), 30)
    life.daemon.send_signal(signal.SIGPIPE)
    wait_for(lambda: len(answered) > known + ENOUGH or not life.is_early(), 30)
    status = life.daemon.poll()
    if number < LIVES - 1:
        life.end()
    else:
        wait_for(lambda: not life.is_early(), 60)
    for thread in threads:
        thread.join()
    return life, status


def repeated(stack, names):
    """The presses among them that are more than one signal."""
    rows = stack.sql("select identity, split_part(detail->>'message_id', '-', 1), count(*) "
                     "from onekey.signal where detail ? 'message_id' group by 1, 2")
    return [(row[0], row[1]) for row in rows if (row[0], row[1]) in names and row[2] != "1"]


def main():
    tap, answered = Tap(), []
    with Stack(CONFIGURATION) as stack:
        stack.stop("onekeyd")
        write_journal(f"{stack.folder}/state/journal")
        for number in range(LIVES):
            known = len(answered)
            life, status = live(stack, number, answered)
            tap.check(status is None, f"life {number}: a device that goes away does not end it", status)
            tap.check(len(answered) > known, f"life {number}: alarms are answered during the replay",
                      f"{len(answered) - known} answered")
        gone = wait_for(lambda: not missing(stack, answered), 30)
        tap.check(gone, "none that was answered is lost", f"{len(answered)} answered",
                  missing(stack, answered)[:3])
        twice = repeated(stack, set(answered))
        tap.check(not twice, "none is there twice", twice[:3])
        tap.check(not life.says("journal.damaged"), "the journal is as docs/JOURNAL.md says")
        life.end()
    tap.finish()


main()
