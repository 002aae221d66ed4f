#!/usr/bin/python3
"""The journal is full, by its disk or by its budget: said aloud, not acknowledged, and got over.

The first needs a small file system of its own (tmpfs, for which one must be root).
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import (Pressers, make_district, missing, press, publish, receive,  # noqa: E402
                    watch_frame)
from stack import Stack, Tap, wait_for  # noqa: E402

DISK_BYTES = 4 << 20
LATE, ABSENT = "9900000001", "9900000009"
LOST_AFTER_S = 8
SUPERVISE = f"[supervise]\nwristband_s = {LOST_AFTER_S}\nhold_off_s = 0\nstartup_grace_s = 1\n"


class Tmpfs:
    """A small file system; `reason` says why there is none."""

    def __init__(self, folder, size):
        self.folder, self.reason = folder, None
        os.makedirs(folder)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "onekey", folder],
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.reason = f"no tmpfs: {done.stderr.strip() or done.stdout.strip()}"

    def fill(self):
        with open(f"{self.folder}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass

    def empty(self):
        os.unlink(f"{self.folder}/filler")

    def unmount(self):
        if not self.reason:
            subprocess.run(["umount", self.folder], check=True)


def hear(stack, identity):
    """A sign of life of the device; when it was given."""
    with stack.connect("watch") as client:
        client.sendall(watch_frame(identity, "LK"))
        receive(client, 1)
    return time.monotonic()


def press_until_refused(pressers, limit=200_000):
    """Presses one after the other until one is not answered. Returns how many were."""
    for i in range(limit):
        if pressers.press(i % len(pressers.clients), 2.0) is None:
            return i
    return limit


def test_said(tap, stack, name):
    tap.check("journal.full" in stack.log(), f"{name}: the log says so")
    tap.check(stack.metric("onekey_journal_full") == 1, f"{name}: so does the metric")
    status, reason = stack.http("/-/ready")
    tap.check(status == 503 and "journal" in reason, f"{name}: and /-/ready with 503", reason.strip())


def test_refused(tap, stack, name):
    """While it is full: no acknowledgement over TCP nor MQTT, and the daemon stays."""
    refused = stack.metric("onekey_alarms_refused_total")
    tap.check(press(stack, LATE, deadline_s=1) is None, f"{name}: a press is not acknowledged")
    publish(stack, "onekey/v1/call_box/late-box/up/alarm", {"type": "panic", "id": "late-1"})
    tap.check(wait_for(lambda: stack.metric("onekey_alarms_refused_total") > refused, 10)
              and "alarm.refused" in stack.log(), f"{name}: which is counted and logged")
    tap.check(stack.http("/-/healthy")[0] == 200, f"{name}: the daemon goes on")


def test_recovered(tap, stack, name, pressers):
    room = wait_for(lambda: stack.metric("onekey_journal_full") == 0
                    and "journal.has_room" in stack.log(), 30)
    tap.check(room, f"{name}: with room again it says so")
    again = wait_for(lambda: press(stack, LATE, deadline_s=1), 20)
    tap.check(again, f"{name}: the same press is now acknowledged")
    wait_for(lambda: not missing(stack, pressers.names), 30)
    lost = missing(stack, pressers.names)
    tap.check(not lost and pressers.names, f"{name}: all that was acknowledged is in the database",
              f"{len(pressers.names)} acknowledged, missing {lost[:3]}")
    query = "select count(*) from onekey.ticket where kind = 'panic' and identity = '{}'"
    tap.check(wait_for(lambda: stack.value(query.format(LATE)) == "1", 20),
              f"{name}: so is the late one")
    tap.check(wait_for(lambda: stack.value(query.format("late-box")) == "1", 60),
              f"{name}: and that of the broker, which nobody sent again",
              stack.value(query.format("late-box")))


def test_disk(tap):
    name = "disk full"
    with Stack(f"[journal]\nsegment_bytes = 256K\ntotal_bytes = 64M\n{SUPERVISE}") as stack:
        stack.stop("onekeyd")
        journal = Tmpfs(f"{stack.parent}/journal", DISK_BYTES)
        if journal.reason:
            tap.skip(name, journal.reason)
            return
        try:
            with open(f"{stack.folder}/conf.d/disk.conf", "w", encoding="utf-8") as file:
                file.write(f"[journal]\ndirectory = {journal.folder}\n")
            stack.start("onekeyd")
            stack.command("load", make_district(stack.parent, [("watch", ABSENT, "wristband")]))
            pressers = Pressers(stack, 10)
            pressers.measure(0.5)
            stack.stop("postgres")  # or the daemon would make room by itself
            heard = hear(stack, ABSENT)
            journal.fill()
            answered = press_until_refused(pressers)
            tap.check(answered > 0, f"{name}: presses are acknowledged to the last byte", answered)
            wait_for(lambda: stack.metric("onekey_journal_full") == 1, 10)
            test_said(tap, stack, name)
            test_refused(tap, stack, name)
            wait_for(lambda: time.monotonic() > heard + LOST_AFTER_S + 1, 60)
            tap.check(stack.metric("onekey_journal_full") == 1, f"{name}: and remains full")
            journal.empty()
            stack.start("postgres")
            test_recovered(tap, stack, name, pressers)
            lost = "select count(*) from onekey.ticket where kind = 'device_lost'"
            tap.check(wait_for(lambda: stack.value(lost) == "1", 10),
                      f"{name}: a device that was lost meanwhile is a ticket", stack.value(lost))
            pressers.close()
        finally:
            stack.stop("onekeyd")
            journal.unmount()


def test_budget(tap):
    name = "budget spent"
    with Stack("[journal]\nsegment_bytes = 64K\ntotal_bytes = 192K\n") as stack:
        stack.stop("postgres")
        pressers = Pressers(stack, 10)
        answered = press_until_refused(pressers)
        tap.check(answered > 0, f"{name}: without the database the journal fills up", answered)
        wait_for(lambda: stack.metric("onekey_journal_full") == 1, 10)
        test_said(tap, stack, name)
        test_refused(tap, stack, name)
        stack.start("postgres")
        test_recovered(tap, stack, name, pressers)
        tap.check(wait_for(lambda: stack.http("/-/ready")[0] == 200, 10), f"{name}: then it is ready")
        pressers.close()


def main():
    tap = Tap()
    test_disk(tap)
    test_budget(tap)
    tap.finish()


main()
