"""The rows of a start after long without the database."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import harness
from harness import DISTRICT, free_port, run
from device import receive, watch_acknowledgement, watch_press
from stack import BIN, wait_for

DEVICES = RECORDS = 1000000
ROUNDS = min(3, harness.ROUNDS)
CONFIGURATION = """
[gateway]
name = bench
district = {district}
state_directory = {state}
devices_max = 1100000
[journal]
total_bytes = 2G
[database]
conninfo = host={folder} dbname=nobody
[http]
port = 0
[control]
socket = {folder}/control
[listen watch]
address = 127.0.0.1
port = {port}
protocol = watch
"""


def press(port):
    """Whether a wristband's press is acknowledged."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(watch_press("7000000001"))
            return receive(client, 1, 20) == watch_acknowledgement("7000000001")
    except OSError:
        return False


def is_replayed(folder):
    with open(f"{folder}/log", encoding="utf-8") as log:
        return "journal.replayed" in log.read()


def start(folder, port):
    """Milliseconds from the start of the program to the first alarm that it acknowledges, and to the
    end of the replay."""
    began = time.monotonic()
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen([f"{BIN}/onekeyd", "--config", f"{folder}/onekeyd.conf"],
                                   stdout=log, stderr=log)
    try:
        taken = []
        for is_done in (lambda: press(port), lambda: is_replayed(folder)):
            if not wait_for(lambda done=is_done: process.poll() is not None or done(), 60, 0.005) or \
                    process.poll() is not None:
                with open(f"{folder}/log", encoding="utf-8") as log:
                    raise RuntimeError(log.read().strip().splitlines()[-1])
            taken.append((time.monotonic() - began) * 1000)
        return taken
    finally:
        process.kill()
        process.wait()


def start_ms(_bench, report):
    """Exec -> first alarm acknowledged, with the registry from its copy; and -> every record of the
    journal replayed."""
    folder = tempfile.mkdtemp(prefix="onekey-start-")
    try:
        os.mkdir(f"{folder}/state")
        port = free_port()
        with open(f"{folder}/onekeyd.conf", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(district=DISTRICT, state=f"{folder}/state",
                                            folder=folder, port=port))
        run("fill_state", f"{folder}/state", DISTRICT, DEVICES, RECORDS, timeout=180)
        values = [start(folder, port) for _ in range(ROUNDS)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.row("start_ms", "ms", [replayed for _, replayed in values], goal=("<=", 10000))
    report.row("start_first_alarm_ms", "ms", [first for first, _ in values], goal=("<=", 1000))
    report.note(f"start_ms: {DEVICES} devices, {RECORDS} records, all of which are replayed")


ROWS = [("start_ms", start_ms)]
