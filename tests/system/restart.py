#!/usr/bin/python3
"""Ends, starts, reloads, and what must not come of them: lost alarms, false tickets, two daemons."""
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from device import (Pressers, free_port, make_district, missing, press, publish, receive,  # noqa: E402
                    watch_frame)
from stack import BIN, Stack, Tap, wait_for  # noqa: E402

WATCH, BOX, ABSENT = "9900000001", "box-1", "9900000009"
CROWD = 600  # call boxes that are lost at once
TIMEOUT_S = 4
CONFIGURATION = f"""
[supervise]
wristband_s = {TIMEOUT_S}
call_box_s = {TIMEOUT_S}
hold_off_s = 0
startup_grace_s = 2

[outage]
devices = 1000000

[journal]
segment_bytes = 64K
"""


def hear(stack):
    """Both devices say that they are there."""
    with stack.connect("watch") as client:
        client.sendall(watch_frame(WATCH, "LK"))
        receive(client, 1)
    publish(stack, f"onekey/v1/call_box/{BOX}/up/heartbeat", {})


def lost(stack):
    """(identity, state) of the tickets of lost devices."""
    return {(row[0], row[1]) for row in stack.sql(
        "select identity, state from onekey.ticket where kind = 'device_lost'")}


class Hearer:
    """Lets both devices be heard of until it is left."""

    def __init__(self, stack):
        self.stack, self.ended = stack, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(TIMEOUT_S / 8):
            try:
                hear(self.stack)
            except (OSError, subprocess.CalledProcessError):
                pass  # the daemon is down

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def test_lost(tap, stack):
    """A device that keeps quiet is one ticket, and none when it is back; a restart is no silence."""
    both = {(WATCH, "open"), (BOX, "open"), (ABSENT, "open")}
    with Hearer(stack):
        alone = wait_for(lambda: lost(stack) == {(ABSENT, "open")}, 5 * TIMEOUT_S)
        tap.check(alone, "a device never heard of is lost, alone", lost(stack))
        for _ in range(3):
            stack.stop("onekeyd")
            stack.start("onekeyd")
        grown = wait_for(lambda: lost(stack) != {(ABSENT, "open")}, TIMEOUT_S)
        tap.check(not grown, "restarts lose no other", lost(stack))
    tap.check(wait_for(lambda: lost(stack) == both, 5 * TIMEOUT_S),
              "devices that fall silent are lost, one ticket each", lost(stack))
    with Hearer(stack):
        wait_for(lambda: lost(stack) == {(WATCH, "closed"), (BOX, "closed"), (ABSENT, "open")}, 10)
        tap.check(lost(stack) == {(WATCH, "closed"), (BOX, "closed"), (ABSENT, "open")},
                  "each closes by itself when its device is back", lost(stack))
    wait_for(lambda: lost(stack) >= both, 5 * TIMEOUT_S)
    stack.stop("onekeyd")
    stack.start("onekeyd")
    with Hearer(stack):
        closed = wait_for(lambda: lost(stack).isdisjoint({(WATCH, "open"), (BOX, "open")}), 10)
        tap.check(closed, "also if the daemon was restarted in between", lost(stack))


def test_crowd(tap, stack):
    """More decisions in one moment than the journal takes in one: all of them are recorded."""
    devices = [("meter_json", f"crowd-{i}", "call_box") for i in range(CROWD)]
    stack.command("load", make_district(stack.parent, devices, "C"))
    query = "select count(*) from onekey.ticket where kind = 'device_lost' and identity like 'crowd%'"
    tap.check(wait_for(lambda: stack.value(query) == str(CROWD), 5 * TIMEOUT_S),
              f"{CROWD} devices that are lost at once are {CROWD} tickets", stack.value(query))


def write_configuration(stack, text):
    with open(f"{stack.folder}/conf.d/test.conf", "w", encoding="utf-8") as file:
        file.write(text)


def ctl(stack, *arguments):
    done = subprocess.run([f"{BIN}/onekeyctl", "--config", stack.values["ONEKEY_CONF"], *arguments],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    return done.returncode, done.stdout


def setting(stack, key):
    for line in ctl(stack, "--json", "show", "config")[1].splitlines():
        if f'"key":"{key}"' in line:
            return line.split('"value":"')[1].split('"')[0]
    return None


def test_reload(tap, stack, base):
    good = base.replace("wristband_s = ", "wristband_s = 86")
    write_configuration(stack, good + "[silence]\nlitres = many\n")
    status, output = ctl(stack, "reload")
    line = (good + "[silence]\n").count("\n") + 1
    tap.check(status != 0 and f"test.conf:{line}" in output and "litres" in output,
              "a bad file is refused by name and line", output)
    write_configuration(stack, good + "[mqtt]\nport = 7\n")
    status, output = ctl(stack, "reload")
    tap.check(status != 0 and "port" in output and "restart" in output,
              "so is a change that needs a restart, by its name", output)
    tap.check(setting(stack, "wristband_s") == str(TIMEOUT_S), "and nothing changes",
              setting(stack, "wristband_s"))
    write_configuration(stack, good)
    status, output = ctl(stack, "reload")
    tap.check(status == 0 and setting(stack, "wristband_s") == f"86{TIMEOUT_S}",
              "a good one applies", output, setting(stack, "wristband_s"))
    write_configuration(stack, base)
    os.kill(stack.pid("onekeyd"), signal.SIGHUP)
    tap.check(wait_for(lambda: setting(stack, "wristband_s") == str(TIMEOUT_S), 10),
              "SIGHUP reads it too", setting(stack, "wristband_s"))


def make_certificate(folder, name):
    """A key and a certificate that it signs itself, in the places of the configuration."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{folder}/new.key",
                    "-out", f"{folder}/new.crt"], check=True, capture_output=True, timeout=60)
    os.replace(f"{folder}/new.key", f"{folder}/server.key")
    os.replace(f"{folder}/new.crt", f"{folder}/server.crt")


def served(port):
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_certificate(tap, stack, port, base):
    folder = stack.parent
    write_configuration(stack, base + f"[listen secure]\naddress = 127.0.0.1\nport = {port}\n"
                        f"transport = tls\ncertificate = {folder}/server.crt\nkey = {folder}/server.key\n")
    make_certificate(folder, "first.invalid")
    stack.stop("onekeyd")
    stack.start("onekeyd")
    first = read(f"{folder}/server.crt")
    tap.check(served(port) == first, "the certificate of the configuration is served")
    make_certificate(folder, "second.invalid")
    os.kill(stack.pid("onekeyd"), signal.SIGHUP)
    second = read(f"{folder}/server.crt")
    tap.check(second != first and wait_for(lambda: served(port) == second, 10),
              "after SIGHUP the new one")
    shutil.copy(f"{folder}/server.crt", f"{folder}/kept.crt")
    with open(f"{folder}/server.crt", "w", encoding="utf-8") as file:
        file.write("not a certificate\n")
    os.kill(stack.pid("onekeyd"), signal.SIGHUP)
    wait_for(lambda: "certificate.kept" in stack.log(), 10)
    tap.check("certificate.kept" in stack.log() and served(port) == second,
              "one that cannot be read is refused, and the old one stays",
              *[line for line in stack.log().splitlines() if "certificate" in line])
    shutil.copy(f"{folder}/kept.crt", f"{folder}/server.crt")


def run_daemon(stack):
    return subprocess.Popen([f"{BIN}/onekeyd", "--config", stack.values["ONEKEY_CONF"]],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_term(tap, stack):
    """SIGTERM in the middle of presses: exit status 0, and what was acknowledged is there."""
    stack.stop("onekeyd")
    daemon = run_daemon(stack)
    try:
        wait_for(lambda: stack.http("/-/ready")[0] == 200, 20)
        pressers = Pressers(stack, 10)
        threading.Timer(1.0, daemon.terminate).start()
        taken = []
        while len(taken) < 100_000 and None not in taken[-10:]:
            taken += pressers.measure(0.05, 0)
        pressers.close()
        _, log = daemon.communicate(timeout=20)
        tap.check(daemon.returncode == 0 and "daemon.ended" in log, "SIGTERM ends it with status 0",
                  daemon.returncode, log[-300:])
    finally:
        daemon.kill()
        daemon.wait()
    stack.start("onekeyd")
    gone = wait_for(lambda: not missing(stack, pressers.names), 20)
    tap.check(gone and len(pressers.names) > 100, "and nothing that was acknowledged is lost",
              f"{len(pressers.names)} acknowledged, missing {missing(stack, pressers.names)[:3]}")


def test_second(tap, stack):
    second = run_daemon(stack)
    try:
        _, log = second.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        second.kill()
        _, log = second.communicate()
    tap.check(second.returncode == 1 and "another onekeyd" in log and "journal" in log,
              "a second daemon on the same journal does not start, and says why", log[-300:])
    tap.check(press(stack, WATCH) is not None, "and the first one goes on")


def main():
    tap = Tap()
    with Stack(CONFIGURATION) as stack:
        devices = [("watch", WATCH, "wristband"), ("meter_json", BOX, "call_box"),
                   ("watch", ABSENT, "wristband")]
        stack.command("load", make_district(stack.parent, devices))
        test_lost(tap, stack)
        test_crowd(tap, stack)
        test_reload(tap, stack, CONFIGURATION)
        test_term(tap, stack)
        test_second(tap, stack)
        test_certificate(tap, stack, free_port(), CONFIGURATION)
    tap.finish()


main()
